using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Turns a page of the feed into firings, in the transaction that moves the cursor.</summary>
internal static class FiringIntake
{
    /// <returns>How many runs are to be started.</returns>
    public static async Task<int> WriteAsync(WriteSession session, TriggerBook book, int shard, ReadFeedReply page, int maxDepth, DateTimeOffset now)
    {
        // In the order of ids, as everybody locks them.
        var fired = page.Events
            .SelectMany(@event => book.Find(shard, @event).Select(trigger => (Trigger: trigger, Event: @event)))
            .GroupBy(match => match.Trigger.Id)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        var nowMs = now.ToUnixTimeMilliseconds();
        var count = 0;
        foreach (var group in fired)
        {
            var freeAt = await session.ScalarAsync<long>(
                session.Dialect == SqlDialect.PostgreSql ? TriggerQueries.LockFreeAt : TriggerQueries.FreeAt, group.Key);
            foreach (var (trigger, @event) in group)
            {
                var (startAt, next) = StartRate.Take(freeAt, trigger.Spec.RatePerMinute, nowMs);
                if (LoopRules.IsTooDeep(@event, maxDepth))
                    Insert(session, trigger, @event, startAt: null, $"{@event.Lineage.Count} triggers in a row have led to the event.", nowMs);
                else if (startAt - nowMs > StartRate.LongestWait.TotalMilliseconds)
                    Insert(session, trigger, @event, startAt: null, "More events have come than may start runs within an hour.", nowMs);
                else
                {
                    Insert(session, trigger, @event, startAt, reason: null, nowMs);
                    freeAt = next;
                    count++;
                }
            }

            session.Enqueue(TriggerQueries.SetFreeAt, group.Key, freeAt);
        }

        return count;
    }

    /// <param name="startAt">Unix ms; null = it starts nothing.</param>
    private static void Insert(WriteSession session, Trigger trigger, FeedEvent @event, long? startAt, string? reason, long now) => session.Enqueue(
        FiringQueries.Insert,
        Firing.IdOf(trigger.Id, @event.RunId, @event.Sequence),
        trigger.Id,
        @event.RunId,
        @event.Sequence,
        @event.Type,
        @event.WorkflowId,
        startAt is null ? null : @event.Document.ToByteArray(),
        JsonSerializer.Serialize(@event.Lineage),
        (long)(startAt is null ? FiringStatus.Skipped : FiringStatus.Pending),
        reason,
        startAt,
        now,
        startAt is null ? now : null);
}
