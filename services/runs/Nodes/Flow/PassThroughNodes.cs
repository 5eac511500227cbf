using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Nodes.Conformance;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary><c>core.noop</c>: completes at once, ignores its inputs, has no outputs.</summary>
internal sealed class NoopNode : INodeHandler
{
    private static readonly NodeOutcome Done = new NodeOutcome.Completed(NodeJson.EmptyObject);

    public string TypeId => "core.noop";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) => ValueTask.FromResult(Done);
}

/// <summary><c>core.start</c>: marks where a run begins; its input ports become its outputs.</summary>
internal sealed class StartNode : PassThroughNode
{
    public override string TypeId => "core.start";
}

/// <summary><c>core.end</c>: its input ports become its outputs, and the outputs of end nodes become those of the run.</summary>
internal sealed class EndNode : PassThroughNode
{
    public override string TypeId => "core.end";
}

/// <summary><c>core.parallel</c>: fans out; everything behind it may run at the same time. Passes its input ports on.</summary>
internal sealed class ParallelNode : PassThroughNode
{
    public override string TypeId => "core.parallel";
}

/// <summary>
/// <c>core.identity</c>: a pure echo, every input port becomes the output of the same name. A single port is repeated as
/// <c>output</c>, so that what follows need not know the port's name.
/// </summary>
internal sealed class IdentityNode : PassThroughNode
{
    private const string DefaultPort = "output";

    public override string TypeId => "core.identity";

    public override INodeHandler For(WorkflowNode node) =>
        node.Config.StringMember(MemoryProbe.Action) is null ? this : new MemoryProbe(this);

    protected override JsonElement Outputs(NodeContext context)
    {
        if (context.Node.Config.Member("emitDuplicateMessageId") is { ValueKind: JsonValueKind.True } && TestWorkflows.Includes(context.WorkflowId))
            WriteMessageTwice(context);

        if (context.Inputs.Count != 1 || context.Inputs.ContainsKey(DefaultPort))
        {
            return base.Outputs(context);
        }

        var (name, value) = context.Inputs.First();
        return NodeJson.Object([KeyValuePair.Create(name, value), KeyValuePair.Create(DefaultPort, value)]);
    }

    /// <summary>For tests of the reducer <c>message</c>: the second write must leave no trace in the channel.</summary>
    private static void WriteMessageTwice(NodeContext context)
    {
        var message = NodeJson.Object(writer =>
        {
            writer.WriteString("messageId", $"{context.Node.Id}:0");
            writer.WriteString("role", "assistant");
            writer.WriteString("content", "Said once.");
            writer.WriteString("timestamp", Timestamps.Format(context.Now));
        });
        foreach (var (channel, declaration) in context.ChannelDeclarations?.AsEnumerable() ?? [])
        {
            if (declaration.Reducer == ChannelReducers.Message)
            {
                context.WriteChannel(new ChannelWrite(channel, message));
                context.WriteChannel(new ChannelWrite(channel, message));
            }
        }
    }
}

/// <summary>A node whose input ports become its outputs, unchanged.</summary>
internal abstract class PassThroughNode : INodeHandler
{
    public abstract string TypeId { get; }

    public bool IsPure => true;

    public virtual INodeHandler For(WorkflowNode node) => this;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(Outputs(context)));

    protected virtual JsonElement Outputs(NodeContext context) => NodeJson.Object(context.Inputs);
}
