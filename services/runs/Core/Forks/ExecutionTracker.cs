namespace OpenWop.Micro.Runs.Core;

/// <param name="Round">How often the attempt has gone on after an answer or the end of a child.</param>
internal readonly record struct Execution(string Node, int Iteration, int Attempt, int Round);

/// <summary>
/// Follows a log and tells which execution each event of a node belongs to, and how many came before it. Source and replay are
/// followed by the same rules, so that one finds its place in the other. Reports of children come from outside and count for none.
/// </summary>
internal sealed class ExecutionTracker
{
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);
    private readonly HashSet<string> endedChildren = new(StringComparer.Ordinal);

    /// <summary>Where a node stands; null before it has started.</summary>
    public Place? PlaceOf(string nodeId) => places.GetValueOrDefault(nodeId);

    public void Pass(RunEventBody body)
    {
        if (body is NodeStarted started)
        {
            places[started.Node] = new Place(new Execution(started.Node, started.Iteration, started.Attempt, 0), 0, null, IsOpen: true);
            return;
        }

        if (body is ChildReported { Status: var status } ended && ChildRun.IsTerminal(status))
            endedChildren.Add(ended.ChildRunId);

        if (body.NodeId is not { } node || !places.TryGetValue(node, out var place) || !place.IsOpen)
            return;

        places[node] = body switch
        {
            ChildReported reported when reported.ChildRunId == place.AwaitedChild && ChildRun.IsTerminal(reported.Status) => place.GoneOn(),
            ChildReported => place,
            ChildStarted { IsAwaited: true } child => place with { Steps = 0, AwaitedChild = child.ChildRunId },
            ChildAwaited awaited when endedChildren.Contains(awaited.ChildRunId) => place.GoneOn(),
            ChildAwaited awaited => place with { Steps = 0, AwaitedChild = awaited.ChildRunId },
            NodeSuspended => place with { Steps = 0 },
            NodeResumed => place.GoneOn(),
            NodeCompleted or NodeFailed or NodeRetried or NodeCancelled => place with { IsOpen = false },
            _ => place with { Steps = place.Steps + 1 },
        };
    }

    /// <param name="Steps">Events of the execution, or since it waits.</param>
    /// <param name="AwaitedChild">The child that it waits for.</param>
    /// <param name="IsOpen">False once the attempt has come to something.</param>
    internal sealed record Place(Execution Execution, int Steps, string? AwaitedChild, bool IsOpen)
    {
        public Place GoneOn() => this with { Execution = Execution with { Round = Execution.Round + 1 }, Steps = 0, AwaitedChild = null };
    }
}
