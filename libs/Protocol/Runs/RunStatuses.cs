using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Statuses of a run on the wire (spec/runs-streams-replay.md 2.1). The only place that spells them.</summary>
public static class RunStatuses
{
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Paused = "paused";
    public const string WaitingApproval = "waiting-approval";
    public const string WaitingInput = "waiting-input";
    public const string WaitingExternal = "waiting-external";
    public const string Cancelling = "cancelling";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static readonly FrozenSet<string> All = FrozenSet.Create(
        StringComparer.Ordinal,
        Pending, Running, Paused, WaitingApproval, WaitingInput, WaitingExternal, Cancelling, Completed, Failed, Cancelled);

    /// <summary>Statuses that the answer to a creation may show.</summary>
    public static readonly FrozenSet<string> OnCreation = FrozenSet.Create(
        StringComparer.Ordinal, Pending, Running, WaitingApproval, WaitingInput, WaitingExternal);

    /// <summary>True when nothing can happen to the run any more.</summary>
    public static bool IsTerminal(string status) => status is Completed or Failed or Cancelled;

    /// <summary>True while the run waits for somebody outside.</summary>
    public static bool IsWaiting(string status) => status is WaitingApproval or WaitingInput or WaitingExternal;
}
