using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Memory of attempts, decided and folded. Events tell that something was written, never what.</summary>
internal static class MemoryDecisions
{
    /// <summary>Why the run can remember no more, or null.</summary>
    public static NodeError? Refusal(RunState state, NodeResult result) =>
        result.Memory.Count > MemoryRules.MaxChangesPerAttempt || state.Remembered.Count + result.Memory.Count(change => change is MemoryChange.Put) > MemoryRules.MaxWritesPerRun
            ? new NodeError("memory_limit_exceeded", $"An attempt changes at most {MemoryRules.MaxChangesPerAttempt} entries, and a run writes at most {MemoryRules.MaxWritesPerRun}.")
            : null;

    /// <summary>Adds what an attempt has written. A handler that is executed again after a wait writes the same once more: that is no other entry.</summary>
    public static void Add(Draft draft, NodeResult result)
    {
        foreach (var change in result.Memory)
        {
            if (change is MemoryChange.Put put)
            {
                if (draft.State.Remembered.Contains(put.MemoryId))
                    continue;

                draft.Add(new NodeEmitted(result.NodeId, EventTypes.MemoryWritten, Payload(result.NodeId, put)));
            }

            draft.Remember(new DecidedMemoryChange(change, draft.State.LastSequence));
        }
    }

    public static RunState Written(RunState state, NodeEmitted written) => written.Payload.StringMember("memoryId") is { } id
        ? state with { Remembered = state.Remembered.Add(id) }
        : state;

    private static System.Text.Json.JsonElement Payload(string nodeId, MemoryChange.Put put) => JsonValues.Object(writer =>
    {
        writer.WriteString("memoryRef", put.MemoryRef);
        writer.WriteString("memoryId", put.MemoryId);
        writer.WriteString("nodeId", nodeId);
        if (put.AgentId is not null)
            writer.WriteString("agentId", put.AgentId);

        if (put.Entry.Tags.Count > 0)
        {
            writer.WriteStartArray("tags");
            foreach (var tag in put.Entry.Tags)
                writer.WriteStringValue(tag);

            writer.WriteEndArray();
        }
    });
}
