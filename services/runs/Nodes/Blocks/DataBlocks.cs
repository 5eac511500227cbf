using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Nodes.Data;
using OpenWop.Micro.Runs.Nodes.Flow;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary>A block that computes its output from its parameters alone.</summary>
internal abstract class PureBlock : INodeHandler
{
    public abstract string TypeId { get; }

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var outcome = Execute(context, parameters);
        return ValueTask.FromResult(parameters.HasFailed(out var failed) ? failed : outcome);
    }

    protected abstract NodeOutcome Execute(NodeContext context, NodeParameters parameters);

    /// <summary>An output of one member; the value may be undefined, and then there is none.</summary>
    protected static NodeOutcome Completed(string name, JsonElement? value) => new NodeOutcome.Completed(NodeJson.Object(writer =>
    {
        if (value is { ValueKind: not JsonValueKind.Undefined } given)
        {
            writer.WritePropertyName(name);
            given.WriteTo(writer);
        }
    }));
}

/// <summary>A trigger: the input of the run, whoever started it.</summary>
internal abstract class TriggerBlock : PureBlock
{
    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters) => new NodeOutcome.Completed(TriggerInput.Unwrap(context.RunInputs));
}

/// <summary><c>trigger_webhook</c>.</summary>
internal sealed class WebhookTriggerBlock : TriggerBlock
{
    public override string TypeId => "trigger_webhook";
}

/// <summary><c>trigger_manual</c>.</summary>
internal sealed class ManualTriggerBlock : TriggerBlock
{
    public override string TypeId => "trigger_manual";
}

/// <summary><c>trigger_schedule</c>.</summary>
internal sealed class ScheduleTriggerBlock : TriggerBlock
{
    public override string TypeId => "trigger_schedule";
}

/// <summary><c>transform</c>: the template.</summary>
internal sealed class TransformBlock : PureBlock
{
    public override string TypeId => "transform";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters) => Completed("result", parameters.FindGiven("template"));
}

/// <summary><c>slack</c>: pretends to post a message. Nothing leaves the server, and the timestamp follows from the attempt.</summary>
internal sealed class SlackBlock : PureBlock
{
    public override string TypeId => "slack";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var operation = parameters.RequiredString("operation");
        var channel = parameters.RequiredString("channel");
        var text = parameters.RequiredString("text");
        if (operation != "send" && parameters.Error is null)
            return new NodeOutcome.Failed(new NodeError("unknown_operation", $"Slack has no operation '{operation}'."));

        var milliseconds = context.Now.ToUnixTimeMilliseconds();
        return new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WriteBoolean("ok", true);
            writer.WriteString("ts", string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000}.{milliseconds % 1000:000}000"));
            writer.WriteString("channel", channel);
            writer.WriteBoolean("_mock", true);
            writer.WriteString("_text", text);
        }));
    }
}

/// <summary><c>parallel</c>: nothing; what it leads to may run at the same time.</summary>
internal sealed class ParallelBlock : PureBlock
{
    public override string TypeId => "parallel";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters) => new NodeOutcome.Completed(NodeJson.EmptyObject);
}

/// <summary><c>join</c>: nothing; like every block it runs once, when all that leads into it is decided.</summary>
internal sealed class JoinBlock : PureBlock
{
    public override string TypeId => "join";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters) => new NodeOutcome.Completed(NodeJson.EmptyObject);
}

/// <summary><c>set_variables</c>: sets variables of the run.</summary>
internal sealed class SetVariablesBlock : PureBlock
{
    public override string TypeId => "set_variables";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        if (parameters.Object("variables") is not { } variables)
        {
            parameters.Reject("variables", "must be an object");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        foreach (var variable in variables.EnumerateObject())
            context.SetVariable(variable.Name, variable.Value);
        return Completed("values", variables);
    }
}

/// <summary><c>log</c>: as <c>core.log</c>.</summary>
internal sealed class LogBlock : INodeHandler
{
    private readonly LogNode _log = new();

    public string TypeId => "log";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) => _log.ExecuteAsync(context, cancellationToken);
}

/// <summary><c>fail</c>: fails for good.</summary>
internal sealed class FailBlock : PureBlock
{
    public override string TypeId => "fail";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters) => new NodeOutcome.Failed(
        new NodeError("block_failed", parameters.String("message") is { Length: > 0 } message ? message : $"Block '{context.Node.Id}' fails on purpose."));
}

/// <summary><c>sub_workflow</c>: runs another workflow and waits for its end.</summary>
internal sealed class SubWorkflowBlock : INodeHandler
{
    public string TypeId => "sub_workflow";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var workflowId = parameters.RequiredString("workflowId");
        var input = parameters.Object("input") ?? NodeJson.EmptyObject;
        if (parameters.HasFailed(out var invalid))
            return invalid;

        if (context.ChildResults is [var child, ..])
            return child.Status == "completed" ? new NodeOutcome.Completed(ChildOutcomes.Outputs(child)) : ChildOutcomes.Failure(child);

        var start = await context.StartChildAsync(
            new ChildRequest(workflowId)
            {
                Inputs = System.Collections.Immutable.ImmutableSortedDictionary.CreateRange(
                    StringComparer.Ordinal, input.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value))),
            },
            cancellationToken);
        return start.Error is { } error ? new NodeOutcome.Failed(error) : new NodeOutcome.WaitingForChild(start.RunId!);
    }
}
