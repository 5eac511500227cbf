using System.Runtime.CompilerServices;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>
/// The events of a run after a cursor, each once and in order, until the terminal one:
/// <list type="number">
/// <item>subscribe to the bus, so that nothing committed from now on is missed without notice;</item>
/// <item>read the log from the cursor to its end; a run that is over ends here;</item>
/// <item>take what the bus brings, dropping what the log has already given;</item>
/// <item>on a gap, or when a sequence is skipped, read the log again from the last event sent.</item>
/// </list>
/// </summary>
internal sealed class EventFeed(RunStore store, IEventBus bus)
{
    private const int PageSize = 500;

    /// <summary>Batches of events; ends after the terminal event, or at once when the run is over before the cursor.</summary>
    public async IAsyncEnumerable<IReadOnlyList<EncodedEvent>> FollowAsync(
        string runId, long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 1.
        await using var subscription = await bus.SubscribeAsync(RunTopic.Of(runId), cancellationToken);
        var last = afterSequence;
        var readLog = true;
        while (true)
        {
            // 2. and 4.
            while (readLog)
            {
                var page = await store.ReadEventsAsync(runId, last, PageSize, cancellationToken);
                readLog = page.Count == PageSize;
                if (page.Count > 0)
                {
                    yield return page;
                    last = page[^1].Sequence;
                    if (EventTypes.IsTerminal(page[^1].Type))
                        yield break;
                }
                else if (await store.FindAsync(runId, cancellationToken) is not { IsTerminal: false })
                {
                    yield break;
                }
            }

            // 3.
            var message = await subscription.ReadAsync(cancellationToken);
            if (message.IsGap)
            {
                readLog = true;
                continue;
            }

            if (message.Position <= last)
                continue;

            var events = RunTopic.EventsOf(message);
            if (events[0].Sequence > last + 1)
            {
                readLog = true;
                continue;
            }

            events.RemoveAll(@event => @event.Sequence <= last);
            yield return events;
            last = message.Position;
            if (EventTypes.IsTerminal(events[^1].Type))
                yield break;
        }
    }
}
