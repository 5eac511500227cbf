using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Pause and resume (spec/http-core.md 3.6). The first executable event after <c>run.paused</c> is <c>run.resumed</c>: attempts in
/// flight either end before the pause takes effect (<c>drain-current-node</c>) or are dropped and start over afterwards
/// (<c>immediate</c>, safe because their effects are identified).
/// </summary>
internal static class PauseDecisions
{
    public const string Drain = "drain-current-node";
    public const string Immediate = "immediate";

    /// <summary>Asks for a pause; returns why it is refused. A drain takes effect when the last attempt in flight has ended.</summary>
    public static ProtocolError? Request(Draft draft, string? reason, string drainPolicy)
    {
        var state = draft.State;
        if (state.Status == RunStatus.Paused || state.PauseRequested is not null)
        {
            var details = new JsonObject { ["runStatus"] = "paused" };
            if ((state.PausedAt ?? state.PauseRequested?.At) is { } since)
                details["pausedAt"] = Log.Timestamps.Format(since);

            return new ProtocolError(ErrorCodes.RunNotPausable, "The run is paused already.", details);
        }

        if (state.IsTerminal)
            return new ProtocolError(ErrorCodes.RunNotPausable, "The run is over.", new JsonObject { ["runStatus"] = Log.RunSnapshot.StatusOf(state) });

        draft.Add(new PauseRequested(reason, drainPolicy));
        return null;
    }

    /// <summary>Lets a requested pause take effect as soon as its policy allows.</summary>
    public static void TakeEffect(Draft draft, WorkflowGraph graph)
    {
        if (draft.State is not { Status: RunStatus.Running, PauseRequested: { } request })
            return;

        if (request.DrainPolicy == Drain)
        {
            // A wait is no work to drain: it ends with the pause, and the run goes on after it.
            Decisions.CompleteDelays(draft, graph, onlyDue: false);
            if (draft.State.Nodes.Values.Any(node => node.Status == NodeStatus.Running))
                return;
        }

        draft.Add(new RunPaused(request.Reason, request.DrainPolicy));
    }

    public static ProtocolError? Resume(Draft draft, string? reason)
    {
        if (draft.State.Status != RunStatus.Paused)
            return new ProtocolError(ErrorCodes.RunNotPaused, "The run is not paused.", new JsonObject { ["runStatus"] = Log.RunSnapshot.StatusOf(draft.State) });

        draft.Add(new RunResumed(reason));
        return null;
    }
}

/// <summary>A pause that has been asked for and waits for attempts in flight.</summary>
internal sealed record PendingPause(string? Reason, string DrainPolicy, DateTimeOffset At);
