using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// How far a replay has come along its source. Follows from the replay's own log alone, so that it is the same after a crash.
/// </summary>
internal sealed class ReplayProgress
{
    private readonly ReplaySource source;
    private readonly string runId;
    private readonly ExecutionTracker tracker = new();
    private readonly List<long> sequences = [];
    private bool diverged;

    /// <param name="log">The log of the replay so far.</param>
    public ReplayProgress(ReplaySource source, string runId, long fromSequence, IEnumerable<RunEvent> log)
    {
        this.source = source;
        this.runId = runId;
        foreach (var @event in log)
        {
            diverged |= @event.Body is ReplayDiverged && @event.Sequence >= fromSequence;
            Pass(@event.Body, @event.Sequence);
        }
    }

    /// <summary>Place of the next event in the source.</summary>
    public int Cursor { get; private set; }

    /// <summary>The event of the source that comes next; null at its end.</summary>
    public RecordedEvent? Next => Cursor < source.Events.Count ? source.Events[Cursor] : null;

    /// <summary>The event that came last.</summary>
    public RunEventBody? Last { get; private set; }

    /// <summary>Where a node that has started stands.</summary>
    public ExecutionTracker.Place PlaceOf(string nodeId) => tracker.PlaceOf(nodeId)!;

    /// <summary>Sees an event on its way into the log; returns what has to be remarked before it.</summary>
    public RunEventBody? See(RunEvent @event)
    {
        var remark = diverged || !ReplaySource.Counts(@event.Body) ? null : Compare(@event);
        diverged |= remark is not null;
        Pass(@event.Body, remark is null ? @event.Sequence : @event.Sequence + 1);
        return remark;
    }

    /// <summary>Where the replay has an event of the source, given by its sequence there; null while it has none.</summary>
    public long? SequenceOf(long sourceSequence)
    {
        var index = source.IndexOf(sourceSequence);
        return index >= 0 && index < sequences.Count ? sequences[index] : null;
    }

    private void Pass(RunEventBody body, long sequence)
    {
        if (!ReplaySource.Counts(body))
            return;

        Cursor++;
        sequences.Add(sequence);
        Last = body;
        tracker.Pass(body);
    }

    private ReplayDiverged? Compare(RunEvent @event)
    {
        if (Next is not { } expected)
        {
            // A source that goes on may still come to the same.
            return source.Ending is null ? null : Diverged(@event, null, DivergenceKinds.Extra);
        }

        if (IsSameStep(expected.Body, @event.Body))
            return ReplayComparison.AreEqual(expected.Body, @event.Body) ? null : Diverged(@event, expected, DivergenceKinds.Output);

        var comesLater = source.Events.Skip(Cursor + 1).Any(later => IsSameStep(later.Body, @event.Body));
        return Diverged(@event, expected, comesLater ? DivergenceKinds.Missing : DivergenceKinds.TypeMismatch);
    }

    private static bool IsSameStep(RunEventBody recorded, RunEventBody repeated) =>
        EventCodec.TypeOf(recorded) == EventCodec.TypeOf(repeated) && recorded.NodeId == repeated.NodeId;

    private ReplayDiverged Diverged(RunEvent @event, RecordedEvent? expected, string kind) => new(
        source.RunId,
        expected?.Event.Sequence ?? source.Events[^1].Event.Sequence + 1,
        expected is null ? null : EventCodec.EventId(source.RunId, expected.Event.Sequence),
        EventCodec.EventId(runId, @event.Sequence + 1), // After the remark.
        kind,
        EventCodec.TypeOf(@event.Body));
}
