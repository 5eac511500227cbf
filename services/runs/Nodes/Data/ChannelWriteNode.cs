using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Data;

/// <summary>
/// <c>core.channelWrite</c>: writes <c>value</c> into the channel <c>channelName</c> (or <c>channel</c>). In a workflow without
/// declared channels <c>reducer</c> (default append), <c>ttlMs</c> and <c>maxSize</c> say how, and the channel shows among the
/// variables.
/// </summary>
internal sealed class ChannelWriteNode : INodeHandler
{
    private const long MaxTtlMs = 31_536_000_000;

    public string TypeId => "core.channelWrite";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var channel = parameters.ConfigString("channelName") ?? parameters.ConfigString("channel");
        var reducer = parameters.ConfigString("reducer");
        var ttl = parameters.FindConfig("ttlMs") is null ? 0 : parameters.Integer("ttlMs", 0, MaxTtlMs, 0);
        var size = parameters.FindConfig("maxSize") is null ? 0 : parameters.Integer("maxSize", 1, int.MaxValue, 1);
        var value = parameters.FindGiven("value") ?? parameters.FindGiven("input");
        if (string.IsNullOrEmpty(channel))
            parameters.Reject("channelName", "must be a non-empty string");

        if (value is null)
            parameters.Reject("value", "must be given, as input port or config member");

        if (parameters.HasFailed(out var failed))
            return ValueTask.FromResult(failed);

        context.WriteChannel(new ChannelWrite(channel!, value!.Value)
        {
            Reducer = reducer ?? (context.ChannelDeclarations is null ? ChannelReducers.Append : null),
            TtlMs = ttl > 0 ? ttl : null,
            MaxSize = size > 0 ? (int)size : null,
        });
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.Object(writer => writer.WriteString("channel", channel))));
    }
}
