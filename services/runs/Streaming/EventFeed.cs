using System.Runtime.CompilerServices;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>
/// The events of a run after a cursor, each once and in order, until the terminal one:
/// <list type="number">
/// <item>subscribe to the feed, so that nothing committed from now on is missed;</item>
/// <item>read the log from the cursor to its end;</item>
/// <item>take what the feed brings, dropping what the log has already given;</item>
/// <item>when the feed jumps ahead, read the log again from the last event sent.</item>
/// </list>
/// </summary>
internal sealed class EventFeed(RunStore store, RunFeeds feeds)
{
    private const int PageSize = 500;

    /// <summary>Batches of events; ends after the terminal event.</summary>
    public async IAsyncEnumerable<IReadOnlyList<EncodedEvent>> FollowAsync(
        string runId, long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = feeds.Subscribe(runId);
        var last = afterSequence;
        await foreach (var page in HistoryAsync(runId, last, cancellationToken))
        {
            yield return page;
            last = page[^1].Sequence;
            if (EventTypes.IsTerminal(page[^1].Type))
            {
                yield break;
            }
        }

        // A cursor at or past the end of a run that is over: nothing will come.
        if (await store.FindAsync(runId, cancellationToken) is not { IsTerminal: false })
        {
            yield break;
        }

        await foreach (var batch in subscription.Batches.ReadAllAsync(cancellationToken))
        {
            if (batch[0].Sequence > last + 1)
            {
                await foreach (var page in HistoryAsync(runId, last, cancellationToken))
                {
                    yield return page;
                    last = page[^1].Sequence;
                    if (EventTypes.IsTerminal(page[^1].Type))
                    {
                        yield break;
                    }
                }
            }

            if (batch[^1].Sequence > last)
            {
                var fresh = batch[0].Sequence > last ? batch : [.. batch.Where(@event => @event.Sequence > last)];
                yield return fresh;
                last = fresh[^1].Sequence;
                if (EventTypes.IsTerminal(fresh[^1].Type))
                {
                    yield break;
                }
            }
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<EncodedEvent>> HistoryAsync(
        string runId, long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = afterSequence;
        while (true)
        {
            var page = await store.ReadEventsAsync(runId, last, PageSize, cancellationToken);
            if (page.Count == 0)
            {
                yield break;
            }

            yield return page;
            last = page[^1].Sequence;
            if (page.Count < PageSize)
            {
                yield break;
            }
        }
    }
}
