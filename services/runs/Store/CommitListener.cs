using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Feed;
using OpenWop.Micro.Runs.Interrupts;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Streaming;
using OpenWop.Micro.Runs.Telemetry;
using OpenWop.Micro.Runs.Timers;

namespace OpenWop.Micro.Runs.Store;

/// <summary>What happens after each commit, in commit order: due times are noted, followers hear of the events, other runs get their
/// signals, and those who asked for it are told of interrupts.</summary>
internal sealed class CommitListener(WakeUps wakeUps, IEventBus bus, SignalDelivery signals, CallbackDelivery callbacks, RunTelemetry telemetry, FeedBell feed)
{
    public void Committed(RunAppend append, AppendResult result)
    {
        append.Committed?.Invoke();
        if (result.Events.Count > 0)
        {
            wakeUps.Set(append.Lease.RunId, append.State.NextDue);
            bus.Publish(RunTopic.MessageOf(append.Lease.RunId, result.Events));
            feed.Committed(append);
        }

        signals.Committed(append.Sent);
        callbacks.Committed(append);
        telemetry.Committed(append);
    }
}
