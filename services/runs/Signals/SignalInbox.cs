using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Signals;

/// <summary>
/// The signals of an active run. One that cannot be decided yet stays, here and in its table; one that has been decided is removed
/// with the append that holds the decision.
/// </summary>
internal sealed class SignalInbox
{
    private readonly List<RunSignal> waiting = [];
    private readonly List<RunSignal> decided = [];

    /// <summary>Decided on since the last commit.</summary>
    public IReadOnlyList<RunSignal> Decided => decided;

    public void Add(RunSignal signal)
    {
        if (!waiting.Exists(known => known.Key == signal.Key))
            waiting.Add(signal);
    }

    /// <summary>Decides on what can be decided, in the order of arrival.</summary>
    public void Decide(Draft draft) => waiting.RemoveAll(signal =>
    {
        var done = ChildDecisions.Receive(draft, signal);
        if (done)
            decided.Add(signal);

        return done;
    });

    /// <summary>True when a state lets something be decided that had to wait.</summary>
    public bool IsReady(RunState state) => waiting.Exists(signal => ChildDecisions.IsDecidable(state, signal));

    public void Committed() => decided.Clear();
}
