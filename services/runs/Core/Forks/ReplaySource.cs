using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// The log of a source as a replay reads it: what came when, and what each execution of a node came to. Pauses and remarks about
/// replays are left out, because they say nothing about what the run did.
/// </summary>
internal sealed class ReplaySource
{
    private readonly Dictionary<Execution, List<RecordedEvent>> executions = [];
    private readonly Dictionary<(string Node, int Attempt, int Iteration), DateTimeOffset> starts = [];
    private readonly Dictionary<Question, List<RecordedEvent>> answers = [];
    private readonly Dictionary<string, List<RecordedEvent>> reports = new(StringComparer.Ordinal);

    public ReplaySource(string runId, IEnumerable<RunEvent> log)
    {
        RunId = runId;
        Events = [.. log.Where(@event => Counts(@event.Body)).Select((@event, index) => new RecordedEvent(index, @event))];
        Index();
    }

    public string RunId { get; }

    public IReadOnlyList<RecordedEvent> Events { get; }

    /// <summary>The event that ended the source; null while it is not over.</summary>
    public RunEventBody? Ending => Events is [.., { Body: var last }] && EventTypes.IsTerminal(EventCodec.TypeOf(last)) ? last : null;

    /// <summary>False for events that are neither compared nor repeated.</summary>
    public static bool Counts(RunEventBody body) => body is not (PauseRequested or RunPaused or RunResumed or ReplayDiverged);

    /// <summary>What an execution came to: lines, writes and the outcome; empty when nothing is recorded.</summary>
    public IReadOnlyList<RecordedEvent> ResultOf(Execution execution) => executions.GetValueOrDefault(execution, []);

    /// <summary>What followed a question: votes, answers, the end of its time; empty when nothing is recorded.</summary>
    public IReadOnlyList<RecordedEvent> AnswersTo(Question question) => answers.GetValueOrDefault(question, []);

    /// <summary>What a child has reported.</summary>
    public IReadOnlyList<RecordedEvent> ReportsOf(string childRunId) => reports.GetValueOrDefault(childRunId, []);

    /// <summary>Place of the event with a sequence; negative when it does not count.</summary>
    public int IndexOf(long sequence)
    {
        var (low, high) = (0, Events.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var found = Events[middle].Event.Sequence;
            if (found == sequence)
                return middle;

            (low, high) = found < sequence ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    public DateTimeOffset? StartOf(string nodeId, int attempt, int iteration) =>
        starts.TryGetValue((nodeId, attempt, iteration), out var at) ? at : null;

    private void Index()
    {
        var tracker = new ExecutionTracker();
        var suspended = new Dictionary<string, List<RecordedEvent>>(StringComparer.Ordinal);
        foreach (var recorded in Events)
        {
            if (recorded.Body is ChildReported reported)
                Add(reports, reported.ChildRunId, recorded);
            else if (recorded.Body.NodeId is { } node && tracker.PlaceOf(node) is { IsOpen: true } place && recorded.Body is not NodeStarted)
                (suspended.GetValueOrDefault(node) ?? ListOf(executions, place.Execution)).Add(recorded);

            tracker.Pass(recorded.Body);
            switch (recorded.Body)
            {
                case NodeStarted started:
                    starts.TryAdd((started.Node, started.Attempt, started.Iteration), recorded.Event.Timestamp);
                    suspended.Remove(started.Node);
                    break;
                case NodeSuspended asked when tracker.PlaceOf(asked.Node) is { } place:
                    suspended[asked.Node] = ListOf(answers, new Question(asked.Node, place.Execution.Iteration, asked.Key));
                    break;
                case NodeResumed resumed:
                    suspended.Remove(resumed.Node);
                    break;
            }
        }
    }

    private static void Add<TKey>(Dictionary<TKey, List<RecordedEvent>> lists, TKey key, RecordedEvent recorded)
        where TKey : notnull => ListOf(lists, key).Add(recorded);

    private static List<RecordedEvent> ListOf<TKey>(Dictionary<TKey, List<RecordedEvent>> lists, TKey key)
        where TKey : notnull => lists.TryGetValue(key, out var list) ? list : lists[key] = [];
}

/// <summary>An event of the source and its place among those that count.</summary>
internal sealed record RecordedEvent(int Index, RunEvent Event)
{
    public RunEventBody Body => Event.Body;
}

/// <summary>An interrupt by what survives a fork: the key that its node gave it (spec/runs-streams-replay.md 12).</summary>
internal readonly record struct Question(string Node, int Iteration, string Key);
