using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Streaming;
using OpenWop.Micro.Runs.Timers;

namespace OpenWop.Micro.Runs.Store;

/// <summary>What happens after each commit, in commit order: due times are noted, followers hear of the events.</summary>
internal sealed class CommitListener(WakeUps wakeUps, IEventBus bus)
{
    public void Committed(RunAppend append, AppendResult result)
    {
        append.Committed?.Invoke();
        wakeUps.Set(append.Lease.RunId, append.State.NextDue);
        bus.Publish(RunTopic.MessageOf(append.Lease.RunId, result.Events));
    }
}
