using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Where a fork comes from (spec/runs-streams-replay.md 8).</summary>
/// <param name="FromSequence">First sequence that is the fork's own; what lies before is the history of the source.</param>
internal sealed record RunOrigin(string SourceRunId, long FromSequence, ForkMode Mode)
{
    /// <summary>The trace of the source; null = none is kept.</summary>
    public string? SourceTraceparent { get; init; }

    public bool IsReplay => Mode == ForkMode.Replay;
}

/// <summary>Names of fork modes on the wire.</summary>
internal static class ForkModes
{
    public static string NameOf(ForkMode mode) => mode == ForkMode.Replay ? "replay" : "branch";

    public static ForkMode Parse(string name) => name == "branch" ? ForkMode.Branch : ForkMode.Replay;
}

/// <summary>
/// A replay has come to something else than its source. Stands before the event that differs; at most one per replay.
/// </summary>
/// <param name="AtSequence">Sequence of the event in the source, or the length of its log when it has none.</param>
/// <param name="Kind">One of <see cref="DivergenceKinds"/>.</param>
/// <param name="Point">Type of the event that differs.</param>
internal sealed record ReplayDiverged(
    string SourceRunId, long AtSequence, string? OriginalEventId, string ReplayEventId, string Kind, string Point) : RunEventBody;

internal static class DivergenceKinds
{
    /// <summary>The same event of the same node with another payload.</summary>
    public const string Output = "output";

    /// <summary>The source has had an event in between that the replay has not.</summary>
    public const string Missing = "missing";

    /// <summary>The source was over.</summary>
    public const string Extra = "extra";

    public const string TypeMismatch = "type-mismatch";
}
