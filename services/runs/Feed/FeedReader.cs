using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Feed;

/// <summary>
/// Everything that is committed, shard by shard. A shard has one writer at a time, which gives positions out in commit order: whoever has
/// read up to a position never misses anything below it. The history that a fork has copied is left out, because those events were
/// here before, as those of their own run.
/// </summary>
internal sealed class FeedReader(Database database)
{
    public const int MaxPageSize = 1000;

    /// <summary>A page ends with the event that reaches this size, well below the largest message.</summary>
    private const int MaxPageBytes = 1024 * 1024;

    private const string EventsAfter = """
        SELECT e.position, e.run_id, e.sequence, e.type,
            CASE WHEN e.sequence < coalesce(r.own_from, 0) THEN NULL ELSE e.document END,
            r.tenant, r.test, r.tags, r.workflow_id, r.lineage, r.traceparent
        FROM run_events e JOIN runs r ON r.run_id = e.run_id
        WHERE e.shard = $1 AND e.position > $2
        ORDER BY e.position LIMIT $3
        """;

    public async Task<GetHeadsReply> HeadsAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        var reply = new GetHeadsReply();
        for (var shard = 0L; shard < ShardService.ShardCount; shard++)
            reply.Positions.Add(await session.ScalarAsync<long>(RunQueries.LastPosition, shard));

        return reply;
    }

    public async Task<ReadFeedReply> ReadAsync(int shard, long after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(EventsAfter, (long)shard, after, (long)limit);
        var reply = new ReadFeedReply { Position = after };
        var bytes = 0;
        while (bytes < MaxPageBytes && await rows.ReadAsync(cancellationToken))
        {
            reply.Position = rows.GetInt64(0);
            if (rows.IsDBNull(4))
                continue;

            var document = rows.GetFieldValue<byte[]>(4);
            bytes += document.Length;
            var @event = new FeedEvent
            {
                Position = reply.Position,
                RunId = rows.GetString(1),
                Sequence = rows.GetInt64(2),
                Type = rows.GetString(3),
                Document = UnsafeByteOperations.UnsafeWrap(document),
                Tenant = rows.GetString(5),
                Test = rows.GetInt64(6) == 1,
                WorkflowId = rows.GetString(8),
            };
            if (!rows.IsDBNull(7))
                @event.Tags.AddRange(TextsOf(rows.GetString(7)));

            if (!rows.IsDBNull(9))
                @event.Lineage.AddRange(TextsOf(rows.GetString(9)));

            if (!rows.IsDBNull(10))
                @event.Traceparent = rows.GetString(10);

            reply.Events.Add(@event);
        }

        return reply;
    }

    private static IEnumerable<string> TextsOf(string json) => JsonElement.Parse(json).EnumerateArray().Select(text => text.GetString()!);
}
