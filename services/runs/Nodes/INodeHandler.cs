using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>
/// Executes the nodes of one type. A handler never appends events and never touches storage: it reads the
/// <see cref="NodeContext"/>, records wishes on it (variables, log lines) and returns a <see cref="NodeOutcome"/>.
/// A new node type is one class with this interface and one line in <see cref="NodeTypes"/>.
/// </summary>
public interface INodeHandler
{
    /// <summary>The type id, such as <c>core.delay</c>.</summary>
    string TypeId { get; }

    /// <summary>
    /// True when the handler computes its outcome from the context alone: no I/O, no waiting, no clock besides
    /// <see cref="NodeContext.Now"/>. Such a node may run before its <c>node.started</c> is committed, so that a chain of
    /// them shares one commit; after a crash it simply runs again.
    /// </summary>
    bool IsPure { get; }

    /// <summary>
    /// True when attempts spend most of their time waiting for somebody outside, without a thread: they do not count among those
    /// that are executed at the same time.
    /// </summary>
    bool WaitsForOthers => false;

    /// <summary>What executes one of the nodes of this type: another handler where a node's config makes it another kind of node.</summary>
    INodeHandler For(WorkflowNode node) => this;

    /// <summary>Capabilities of the host that the type cannot do without; when one is missing, its nodes are refused before they start.</summary>
    IReadOnlyList<string> Requires => [];

    /// <summary>
    /// Secrets that a node of the type needs; they are resolved before it is executed, from its definition and the run's options alone.
    /// Only types with outside effects have them.
    /// </summary>
    IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) => [];

    /// <summary>
    /// Runs one attempt. After a crash in the middle the attempt starts over from its beginning, so every effect goes
    /// through <see cref="NodeContext.Activities"/>. An exception counts as <c>node_crashed</c>, retryable.
    /// </summary>
    ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken);
}

/// <summary>What an attempt came to.</summary>
public abstract record NodeOutcome
{
    private NodeOutcome()
    {
    }

    /// <summary>
    /// The node is done. <paramref name="LivePorts"/> names the output ports whose edges are followed, besides the default
    /// port <c>output</c>; null = all edges.
    /// </summary>
    public sealed record Completed(JsonElement Outputs, IReadOnlyList<string>? LivePorts = null) : NodeOutcome
    {
        /// <summary>State that a loop head keeps for its next iteration; null = none.</summary>
        public JsonElement? LoopState { get; init; }

        /// <summary>True when the run is complete with this node: what else is active is cancelled.</summary>
        public bool EndsRun { get; init; }
    }

    /// <summary>The attempt failed; retried within the node's budget when <see cref="NodeError.Retryable"/>.</summary>
    public sealed record Failed(NodeError Error) : NodeOutcome;

    /// <summary>What the node had given to somebody else was cancelled there: the run is cancelled with it.</summary>
    public sealed record Cancelled(string Reason) : NodeOutcome;

    /// <summary>
    /// The node asks the outside and waits. What the attempt has written is kept. Once the interrupt is resolved the handler is executed again from its beginning and
    /// finds the answer under the key in <see cref="NodeContext.Resolved"/>.
    /// </summary>
    public sealed record Suspended(Interrupt Interrupt) : NodeOutcome;

    /// <summary>
    /// The node waits for a run that it has started with <see cref="NodeContext.StartChildAsync"/>, now or in an earlier turn. What the attempt has
    /// written is kept. Once the child has ended the handler is executed again from its beginning, with one more result in
    /// <see cref="NodeContext.ChildResults"/>.
    /// </summary>
    public sealed record WaitingForChild(string ChildRunId) : NodeOutcome;

    /// <summary>The node completes with <paramref name="Outputs"/> at an absolute time, without being executed again.</summary>
    public sealed record Delayed(DateTimeOffset Until, JsonElement Outputs) : NodeOutcome;
}

/// <summary>Error of a node or a run: <c>{code, message, details?, retryable?}</c> (spec/runs-streams-replay.md 3.2).</summary>
/// <param name="Code">snake_case.</param>
/// <param name="Message">Text for people, free of secrets.</param>
/// <param name="Retryable">False when another attempt cannot help.</param>
/// <param name="Details">Context, an object.</param>
public sealed record NodeError(string Code, string Message, bool Retryable = false, JsonElement? Details = null);
