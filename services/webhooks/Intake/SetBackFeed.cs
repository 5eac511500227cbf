using System.Text.Json;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>
/// The feed of runs ends before a position that was read or noted here: the runs have been restored from a backup that is older than ours.
/// Their next events get positions that we take for known, and would never be delivered. So whatever points beyond the end of the feed is
/// set back to it. <c>deploy/sql/after-restore.sql</c> keeps that from happening, and is exact; this is for who has forgotten it.
/// </summary>
internal sealed class SetBackFeed([FromKeyedServices(WebhooksHosting.Service)] Database database)
{
    private const string MoveBack = "UPDATE cursors SET position = $2 WHERE shard = $1 AND position > $2";

    private static readonly (string Select, string Update)[] Noted =
    [
        ("SELECT webhook_id, positions FROM subscriptions ORDER BY webhook_id", "UPDATE subscriptions SET positions = $2 WHERE webhook_id = $1"),
        ("SELECT id, positions FROM triggers ORDER BY id", "UPDATE triggers SET positions = $2 WHERE id = $1"),
    ];

    /// <summary>Lets nothing point beyond the end of a shard; followers notice.</summary>
    public Task RepairAsync(int shard, long head, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            // Its lock first, as with every change of those who want events.
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
            await session.ExecuteAsync(MoveBack, (long)shard, head);
            foreach (var (select, update) in Noted)
            {
                foreach (var (id, positions) in await ReadAsync(session, select))
                {
                    if (shard >= positions.Length || positions[shard] <= head)
                        continue;

                    positions[shard] = head;
                    await session.ExecuteAsync(update, id, JsonSerializer.Serialize(positions));
                }
            }
        },
        cancellationToken);

    private static async Task<List<(string Id, long[] Positions)>> ReadAsync(WriteSession session, string select)
    {
        var found = new List<(string, long[])>();
        await using var rows = await session.QueryAsync(select);
        while (await rows.ReadAsync(session.CancellationToken))
            found.Add((rows.GetString(0), JsonSerializer.Deserialize<long[]>(rows.GetString(1))!));

        return found;
    }
}
