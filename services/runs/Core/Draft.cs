namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Events that have been decided but not yet committed, together with the state they lead to. One draft becomes one append.
/// </summary>
/// <param name="state">State after the last committed event.</param>
/// <param name="now">The one clock reading of this draft.</param>
/// <param name="remark">Sees each event before it is added and may have another one go before it; null = nobody looks.</param>
internal sealed class Draft(RunState state, DateTimeOffset now, Func<RunEvent, RunEventBody?>? remark = null)
{
    private readonly List<RunEvent> events = [];
    private readonly List<RunSignal> signals = [];
    private readonly List<DecidedMemoryChange> memory = [];

    public RunState State { get; private set; } = state;

    /// <summary>UTC, truncated to milliseconds, the precision of the log.</summary>
    public DateTimeOffset Now { get; } = TruncateToMilliseconds(now);

    public IReadOnlyList<RunEvent> Events => events;

    /// <summary>Signals decided here; those that follow from the states before and after are found by <see cref="SignalRules"/>.</summary>
    public IReadOnlyList<RunSignal> Signals => signals;

    /// <summary>What is to be remembered and forgotten with these events.</summary>
    public IReadOnlyList<DecidedMemoryChange> Memory => memory;

    /// <summary>The event that those added from now on come from; null = none.</summary>
    public long? Cause { get; set; }

    /// <summary>The call that decides the events added from now on; null = none.</summary>
    public RequestIdentity? Request { get; set; }

    /// <summary>Returns the sequence of the new event.</summary>
    public long Add(RunEventBody body)
    {
        if (remark?.Invoke(Next(body)) is { } before)
            Append(Next(before));

        return Append(Next(body));
    }

    private RunEvent Next(RunEventBody body) => new(State.LastSequence + 1, Now, body, Cause) { Request = Request };

    private long Append(RunEvent @event)
    {
        events.Add(@event);
        State = Fold.Apply(State, @event);
        return @event.Sequence;
    }

    public void Send(RunSignal signal) => signals.Add(signal);

    public void Remember(DecidedMemoryChange change) => memory.Add(change);

    private static DateTimeOffset TruncateToMilliseconds(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
}
