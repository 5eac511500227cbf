using System.Collections.Frozen;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Events;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>Which events each stream mode shows (spec/runs-streams-replay.md 6.4).</summary>
internal static class StreamModes
{
    private static readonly FrozenSet<string> Updates = FrozenSet.ToFrozenSet(
    [
        EventTypes.RunStarted, EventTypes.RunCompleted, EventTypes.RunFailed, EventTypes.RunCancelled, EventTypes.RunPaused, EventTypes.RunResumed,
        EventTypes.NodeCompleted, EventTypes.NodeFailed, EventTypes.NodeSkipped, EventTypes.NodeSuspended,
        EventTypes.ApprovalRequested, EventTypes.ApprovalReceived, EventTypes.ClarificationRequested, EventTypes.ClarificationResolved,
        EventTypes.InterruptRequested, EventTypes.InterruptResolved, EventTypes.ArtifactCreated, "node.dispatched",
    ]);

    public static bool IsUpdate(string type) => Updates.Contains(type);

    /// <summary>Events that a <c>values</c> subscriber gets a snapshot for: those of <c>updates</c>, and the start of a node.</summary>
    public static bool ChangesSnapshot(string type) => type == EventTypes.NodeStarted || Updates.Contains(type);

    /// <summary>Parses the names of a request; none means <c>updates</c>.</summary>
    /// <exception cref="ProtocolException"><c>unsupported_stream_mode</c>.</exception>
    public static StreamModeSet Parse(IReadOnlyCollection<string> names)
    {
        var set = new StreamModeSet(
            Updates: names.Count == 0 || names.Contains("updates"),
            Values: names.Contains("values"),
            Messages: names.Contains("messages"),
            Debug: names.Contains("debug"));
        var known = names.All(name => name is "updates" or "values" or "messages" or "debug");
        return known && !(set.Values && names.Count > 1)
            ? set
            : throw new ProtocolException(new ProtocolError(
                ErrorCodes.UnsupportedStreamMode,
                "The stream mode is not supported.",
                new JsonObject { ["supported"] = new JsonArray("values", "updates", "messages", "debug") }));
    }
}

/// <summary>The modes of one subscription.</summary>
internal sealed record StreamModeSet(bool Updates, bool Values, bool Messages, bool Debug)
{
    public bool Shows(string type) => Debug || (Updates && StreamModes.IsUpdate(type)) || (Messages && type == EventTypes.OutputChunk);
}
