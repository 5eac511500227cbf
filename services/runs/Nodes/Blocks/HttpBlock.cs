using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Nodes.Http;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary><c>http</c>: one request as <c>core.http.request</c> sends it; an answer is a success whatever its status.</summary>
internal sealed class HttpBlock(EgressHttp http) : INodeHandler
{
    private readonly HttpRequestNode _request = new(http);

    public string TypeId => "http";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var call = HttpCall.Read(parameters);
        return parameters.HasFailed(out var invalid)
            ? invalid
            : await _request.SendOnceAsync(context, call!.Method == "GET" ? call with { AcceptsEveryStatus = true, Body = null } : call with { AcceptsEveryStatus = true }, cancellationToken);
    }
}
