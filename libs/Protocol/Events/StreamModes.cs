using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Protocol.Events;

/// <summary>Ways to look at the events of a run (spec/runs-streams-replay.md 6.2).</summary>
[Flags]
public enum StreamMode
{
    None = 0,

    /// <summary>Changes of state, as whole events.</summary>
    Updates = 1,

    /// <summary>A snapshot for every change of state; only alone.</summary>
    Values = 2,

    /// <summary>Chunks of text.</summary>
    Messages = 4,

    /// <summary>Every durable event.</summary>
    Debug = 8,
}

/// <summary>Which events each mode shows (spec/runs-streams-replay.md 6.4), and the names of the modes.</summary>
public static class StreamModes
{
    private const StreamMode State = StreamMode.Updates | StreamMode.Values | StreamMode.Debug;

    /// <summary>The table. What is not in it, vendor events included, is for <c>debug</c> alone.</summary>
    private static readonly FrozenDictionary<string, StreamMode> Table = new Dictionary<string, StreamMode>(StringComparer.Ordinal)
    {
        [EventTypes.RunStarted] = State,
        [EventTypes.RunCompleted] = State,
        [EventTypes.RunFailed] = State,
        [EventTypes.RunCancelled] = State,
        [EventTypes.RunPaused] = State,
        [EventTypes.RunResumed] = State,
        [EventTypes.NodeStarted] = StreamMode.Values | StreamMode.Debug, // Not an update, but the snapshot changes.
        [EventTypes.NodeCompleted] = State,
        [EventTypes.NodeFailed] = State,
        [EventTypes.NodeSkipped] = State,
        [EventTypes.NodeSuspended] = State,
        [EventTypes.NodeDispatched] = State,
        [EventTypes.ApprovalRequested] = State,
        [EventTypes.ApprovalReceived] = State,
        [EventTypes.ClarificationRequested] = State,
        [EventTypes.ClarificationResolved] = State,
        [EventTypes.InterruptRequested] = State,
        [EventTypes.InterruptResolved] = State,
        [EventTypes.ArtifactCreated] = State,
        [EventTypes.OutputChunk] = StreamMode.Messages | StreamMode.Debug,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly (string Name, StreamMode Mode)[] Names =
    [
        ("values", StreamMode.Values),
        ("updates", StreamMode.Updates),
        ("messages", StreamMode.Messages),
        ("debug", StreamMode.Debug),
    ];

    /// <summary>Modes that show an event; <see cref="StreamMode.Debug"/> always among them.</summary>
    public static StreamMode Of(string eventType) => Table.GetValueOrDefault(eventType, StreamMode.Debug);

    /// <summary>True when a subscription to <paramref name="modes"/> gets a frame for an event.</summary>
    public static bool Shows(this StreamMode modes, string eventType) => (modes & Of(eventType)) != 0;

    /// <summary>
    /// Parses the comma list of <c>streamMode</c>; null means <c>updates</c>. One unknown name, an empty one, or <c>values</c>
    /// beside others makes the whole list an <c>unsupported_stream_mode</c> (6.1, 6.5).
    /// </summary>
    public static bool TryParse(string? list, out StreamMode modes, [NotNullWhen(false)] out ProtocolError? error) =>
        TryParse(list is null ? [] : list.Split(','), out modes, out error);

    /// <summary>Parses names that are already apart; none means <c>updates</c>.</summary>
    public static bool TryParse(IReadOnlyCollection<string> names, out StreamMode modes, [NotNullWhen(false)] out ProtocolError? error)
    {
        ArgumentNullException.ThrowIfNull(names);
        modes = names.Count == 0 ? StreamMode.Updates : StreamMode.None;
        error = null;
        foreach (var name in names)
        {
            var mode = Array.Find(Names, entry => entry.Name == name).Mode;
            if (mode == StreamMode.None)
            {
                error = Unsupported();
                return false;
            }

            modes |= mode;
        }

        if (modes.HasFlag(StreamMode.Values) && modes != StreamMode.Values)
            error = Unsupported();

        return error is null;
    }

    private static ProtocolError Unsupported() => new(
        ErrorCodes.UnsupportedStreamMode,
        "'streamMode' must be one mode, or a comma list of modes without 'values'.",
        new JsonObject { ["supported"] = new JsonArray([.. Names.Select(entry => (JsonNode)entry.Name)]) });
}
