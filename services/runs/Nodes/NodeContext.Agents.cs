using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Agents and orchestration (spec/agents.md).</summary>
public sealed partial class NodeContext
{
    private readonly List<NodeEvent> events = [];

    /// <summary>What the run's orchestrator has decided; null before its first decision.</summary>
    public Orchestration? Orchestration { get; init; }

    /// <summary>The event that all events of this attempt come from; null = none.</summary>
    internal long? CauseSequence { get; private set; }

    internal IReadOnlyList<NodeEvent> Events => events;

    /// <summary>Names the event that this attempt acts on, as <c>causationId</c> of what it leads to.</summary>
    public void CausedBy(long sequence) => CauseSequence = sequence;

    /// <summary>Adds an event to the log when the attempt ends, however it ends. The index is for <see cref="NodeEvent.CausedBy"/>.</summary>
    internal int Emit(NodeEvent @event)
    {
        events.Add(@event);
        return events.Count - 1;
    }
}

/// <summary>What an orchestrator has decided so far.</summary>
/// <param name="AgentId">The same for the whole run.</param>
/// <param name="Decisions">How many.</param>
/// <param name="Latest">The last decision (spec/agents.md 4).</param>
/// <param name="LatestSequence">Sequence of its event.</param>
public sealed record Orchestration(string AgentId, int Decisions, JsonElement Latest, long LatestSequence);

/// <summary>An event that a handler asks for.</summary>
internal sealed record NodeEvent(string Type, JsonElement Payload)
{
    /// <summary>Index of the event of the same attempt that caused it; null = what caused the attempt.</summary>
    public int? CausedBy { get; init; }

    /// <summary>True when the event comes from the suspension that the attempt ends with, if it ends with one.</summary>
    public bool FollowsSuspension { get; init; }
}
