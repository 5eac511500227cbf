using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary><c>core.mcp.toolCall</c>: calls a tool of a configured server: <c>server</c>, <c>tool</c>, <c>arguments</c>, <c>timeoutMs</c>.</summary>
internal sealed class McpToolCallNode(McpTools tools) : INodeHandler
{
    public const string Type = "core.mcp.toolCall";

    public string TypeId => Type;

    public bool IsPure => false;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var call = McpCall.Read(parameters);
        return parameters.HasFailed(out var invalid) ? ValueTask.FromResult(invalid) : tools.CallAsync(context, call!, cancellationToken);
    }
}
