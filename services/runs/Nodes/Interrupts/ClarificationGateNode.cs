using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Interrupts;

/// <summary><c>core.clarificationGate</c>: asks the questions in <c>config.questions</c> and completes with <c>{answers}</c> by question id.</summary>
internal sealed class ClarificationGateNode : INodeHandler
{
    public string TypeId => "core.clarificationGate";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var key = context.InterruptKey(0);
        if (context.Resolved.TryGetValue(key, out var answers))
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(answers));

        if (context.Node.Config.Member("questions") is not { ValueKind: System.Text.Json.JsonValueKind.Array } questions || questions.GetArrayLength() == 0)
            return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError("config_invalid", "config.questions must be a list of questions.")));

        var data = NodeJson.Object(writer =>
        {
            writer.WritePropertyName("questions");
            questions.WriteTo(writer);
            if (context.Node.Config.StringMember("contextType") is { } contextType)
                writer.WriteString("contextType", contextType);
        });
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Suspended(
            new Interrupt(InterruptKinds.Clarification, key, data, null, context.Node.Config.IntegerMember("timeoutMs"))));
    }
}
