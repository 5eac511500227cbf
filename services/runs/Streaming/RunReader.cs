using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>Pages of a run's log, waiting for the next event when asked to (spec/runs-streams-replay.md 7).</summary>
internal sealed class RunReader(RunStore store, IEventBus bus, TimeProvider clock)
{
    private const int MaxPageSize = 1000;

    public async Task<ReadEventsReply> ReadAsync(ReadEventsRequest request, CancellationToken cancellationToken)
    {
        var after = request.HasAfterSequence ? request.AfterSequence : -1;
        var limit = request.Limit is > 0 and <= MaxPageSize ? request.Limit : MaxPageSize;

        // Subscribed before the log is read: an event committed in between ends the wait.
        await using var subscription = await bus.SubscribeAsync(RunTopic.Of(request.RunId), cancellationToken);
        var reply = await PageAsync(request.RunId, after, limit, cancellationToken);
        if (reply.Events.Count > 0 || reply.Terminal || request.WaitMs <= 0)
        {
            return reply;
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Min(request.WaitMs, 60_000)), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            while (reply.Events.Count == 0 && !reply.Terminal)
            {
                await subscription.ReadAsync(either.Token);
                reply = await PageAsync(request.RunId, after, limit, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Nothing came in time: the empty page is the answer.
        }

        return reply;
    }

    private async Task<ReadEventsReply> PageAsync(string runId, long after, int limit, CancellationToken cancellationToken)
    {
        // The row first: a status read before the events never claims an end that the page does not hold.
        var row = await store.FindAsync(runId, cancellationToken) ?? throw new ProtocolException(RunErrors.NotFound);
        var events = row.LastSequence > after ? await store.ReadEventsAsync(runId, after, limit, cancellationToken) : [];
        var last = events.Count > 0 ? events[^1].Sequence : Math.Max(after, -1);
        var reply = new ReadEventsReply
        {
            LastSequence = last,
            Status = row.Status,
            Terminal = row.IsTerminal,
            Complete = row.IsTerminal && last >= row.LastSequence,
        };
        foreach (var @event in events)
        {
            reply.Events.Add(UnsafeByteOperations.UnsafeWrap(@event.Document));
        }

        return reply;
    }
}
