using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Interrupts;

/// <summary>
/// <c>core.interrupt</c>: asks what its config says: <c>kind</c> (default <c>custom</c>), <c>data</c>, <c>resumeSchema</c>,
/// <c>timeoutMs</c>. Completes with the answer: an object as it is, anything else as <c>{value}</c>.
/// </summary>
internal sealed class InterruptNode : INodeHandler
{
    public string TypeId => "core.interrupt";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var config = context.Node.Config;
        var key = config.StringMember("key") ?? context.InterruptKey(0);
        if (context.Resolved.TryGetValue(key, out var answer))
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(answer.ValueKind == System.Text.Json.JsonValueKind.Object
                ? answer
                : NodeJson.Object(writer =>
                {
                    writer.WritePropertyName("value");
                    answer.WriteTo(writer);
                })));
        }

        var kind = config.StringMember("kind") ?? InterruptKinds.Custom;
        if (kind is not (InterruptKinds.Approval or InterruptKinds.Clarification or InterruptKinds.ExternalEvent or InterruptKinds.Custom))
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError("config_invalid", $"'{kind}' is not a kind of interrupt that this node can ask.")));

        var data = config.Member("data") ?? NodeJson.Object(writer => writer.WriteString("customKind", context.Node.Id));
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Suspended(
            new Interrupt(kind, key, data, config.Member("resumeSchema"), config.IntegerMember("timeoutMs"))));
    }
}
