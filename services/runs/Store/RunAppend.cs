using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Store;

/// <summary>The right to write a run: its shard and the epoch under which this instance owns it.</summary>
internal readonly record struct RunLease(string RunId, int Shard, long Epoch);

/// <summary>What is written once, with the first events of a run.</summary>
/// <param name="RequestId">The same id in the same tenant makes one run; null = none.</param>
/// <param name="ClaimScope">True for <c>X-Dedup: enforce</c>: refuse while another run of the scope is alive.</param>
internal sealed record RunCreation(string? RequestId, bool ClaimScope);

/// <summary>One append: events, and the row and state that follow from them.</summary>
internal sealed record RunAppend(RunLease Lease, IReadOnlyList<RunEvent> Events, RunState State)
{
    public RunCreation? Creation { get; init; }

    /// <summary>Events that are written before <see cref="Events"/> as they are: the history of a fork.</summary>
    public IReadOnlyList<Log.EncodedEvent> History { get; init; } = [];

    /// <summary>
    /// True when whoever owns the shard must load the run, whether or not attempts are in flight: nobody has it in memory yet,
    /// or it goes on by itself and this is not all of it.
    /// </summary>
    public bool MustLoad { get; init; }

    /// <summary>The workflow that the run executes, for those who observe it; null = not at hand.</summary>
    public WorkflowGraph? Graph { get; init; }

    /// <summary>True when the state is stored as well: the run starts to wait, or ends.</summary>
    public bool StoreState { get; init; }

    /// <summary>What is remembered and forgotten with the append.</summary>
    public IReadOnlyList<DecidedMemoryChange> Memory { get; init; } = [];

    /// <summary>Signals that go out with the append.</summary>
    public IReadOnlyList<RunSignal> Sent { get; init; } = [];

    /// <summary>Signals that the append has decided on.</summary>
    public IReadOnlyList<RunSignal> Received { get; init; } = [];

    /// <summary>
    /// Called once committed, before anybody hears of the events: who has seen an event finds it in the snapshot as well.
    /// </summary>
    public Action? Committed { get; init; }
}

/// <summary>What became of an append.</summary>
internal enum AppendStatus
{
    Committed,

    /// <summary>The shard has another owner; nothing was written.</summary>
    Fenced,

    /// <summary>The request has made a run before; nothing was written.</summary>
    DuplicateRequest,

    /// <summary>Another run of the scope is alive; nothing was written.</summary>
    ScopeTaken,
}

/// <param name="OtherRunId">The run that exists already, for the last two statuses.</param>
internal sealed record AppendResult(AppendStatus Status, IReadOnlyList<Log.EncodedEvent> Events, string? OtherRunId = null);

/// <summary>The row of a run.</summary>
internal sealed record RunRow(string RunId, int Shard, string Tenant, bool IsTest, string WorkflowId, string Status, long LastSequence)
{
    public bool IsTerminal => Status is "completed" or "failed" or "cancelled";

    /// <summary>When the log was removed; null = it is there.</summary>
    public DateTimeOffset? ExpiredAt { get; init; }
}
