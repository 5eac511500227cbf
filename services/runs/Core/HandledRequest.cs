namespace OpenWop.Micro.Runs.Core;

/// <summary>A call that may arrive more than once.</summary>
/// <param name="Id">The same for every retry of one call, and for no other call.</param>
/// <param name="Digest">What the call asks for, where the id does not cover that; null where it does.</param>
internal sealed record RequestIdentity(string Id, string? Digest = null);

/// <summary>
/// What a call came to. Kept with the run, in the facts of the events that it led to: whoever repeats the call, because the answer got
/// lost on its way, gets the same one, whatever has died in between.
/// </summary>
/// <param name="At">When it was decided.</param>
/// <param name="Status">Wire name of the run's status right after the decision.</param>
internal sealed record HandledRequest(RequestIdentity Request, DateTimeOffset At, string Status);

/// <summary>The calls that a run remembers.</summary>
internal static class HandledRequests
{
    /// <summary>So many calls that changed the run are remembered; retries come within seconds.</summary>
    public const int MaxPerRun = 64;

    public static HandledRequest? Find(RunState state, string requestId) => state.Requests.LastOrDefault(handled => handled.Request.Id == requestId);

    /// <summary>An event of a call: the last one says what it came to.</summary>
    public static RunState Add(RunState state, RequestIdentity request, DateTimeOffset at)
    {
        var others = state.Requests.RemoveAll(handled => handled.Request.Id == request.Id);
        if (others.Length == MaxPerRun)
            others = others.RemoveAt(0);

        return state with { Requests = others.Add(new HandledRequest(request, at, Log.RunSnapshot.StatusOf(state))) };
    }
}
