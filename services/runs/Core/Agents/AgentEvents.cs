using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>A decision of the run's orchestrator.</summary>
internal sealed record OrchestratorDecided(string Node, string AgentId, JsonElement Decision) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>An event that a handler has asked for.</summary>
internal sealed record NodeEmitted(string Node, string Type, JsonElement Payload) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>Events that handlers ask for.</summary>
internal static class AgentEvents
{
    /// <summary>True for types that a replay repeats as they are. Of all of them only <c>version.pinned</c> and <c>memory.written</c> count in the fold.</summary>
    public static bool IsEmitted(string type) => type
        is EventTypes.NodeDispatched
        or EventTypes.AgentReasoned
        or EventTypes.AgentReasoningDelta
        or EventTypes.AgentToolCalled
        or EventTypes.AgentToolReturned
        or EventTypes.AgentHandoff
        or EventTypes.AgentDecided
        or EventTypes.ConversationOpened
        or EventTypes.ConversationExchanged
        or EventTypes.ConversationClosed
        or EventTypes.MemoryWritten
        or EventTypes.VersionPinned;

    /// <summary>Adds the events of an attempt in the order in which it asked for them.</summary>
    /// <param name="afterSuspension">True for those that follow a suspension and come from it; without one they come before the end.</param>
    public static void Add(Draft draft, NodeResult result, bool afterSuspension)
    {
        var suspends = result.Outcome is NodeOutcome.Suspended;
        var suspension = draft.State.LastSequence;
        var sequences = new long[result.Events.Count];
        for (var i = 0; i < sequences.Length; i++)
        {
            var (@event, cause) = (result.Events[i], draft.Cause);
            if ((@event.FollowsSuspension && suspends) != afterSuspension)
                continue;

            draft.Cause = afterSuspension ? suspension : @event.CausedBy is { } earlier ? sequences[earlier] : cause;
            sequences[i] = draft.Add(BodyOf(result.NodeId, @event));
            draft.Cause = cause;
        }
    }

    /// <summary>The first pin of a change holds.</summary>
    public static RunState Pinned(RunState state, NodeEmitted pinned)
    {
        var (change, version) = (pinned.Payload.StringMember("changeId"), pinned.Payload.Member("version"));
        return change is null || state.Pins.ContainsKey(change) || version is not { ValueKind: JsonValueKind.Number } || !version.Value.TryGetInt32(out var number)
            ? state
            : state with { Pins = state.Pins.SetItem(change, number) };
    }

    /// <summary>The orchestrator of a run never changes; the latest decision is what is dispatched.</summary>
    public static RunState Decided(RunState state, OrchestratorDecided decided, long sequence) => state with
    {
        Orchestration = new Orchestration(
            state.Orchestration?.AgentId ?? decided.AgentId, (state.Orchestration?.Decisions ?? 0) + 1, decided.Decision, sequence),
    };

    private static RunEventBody BodyOf(string nodeId, NodeEvent @event) => @event.Type == EventTypes.OrchestratorDecided
        ? new OrchestratorDecided(nodeId, @event.Payload.StringMember("agentId")!, @event.Payload.GetProperty("decision"))
        : new NodeEmitted(nodeId, @event.Type, @event.Payload);
}
