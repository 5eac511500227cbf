using System.Data.Common;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Store;

/// <summary>A subscription that has something to deliver.</summary>
/// <param name="DueAt">When its first lane is due, Unix ms.</param>
/// <param name="BlockedUntil">Until when its circuit lets nothing out, Unix ms; 0 = it is closed.</param>
internal sealed record BusySubscription(string Id, long DueAt, long BlockedUntil, int ConsecutiveFailures);

/// <summary>What a worker wants to claim.</summary>
/// <param name="Probe">The end of the block that it wants to probe after; 0 = the circuit is closed.</param>
internal sealed record Wanted(string SubscriptionId, int Count, long Probe);

/// <summary>Finds and claims what is due. Claims end by themselves, so what a worker that has died had in hand is due again.</summary>
internal sealed class LaneStore([FromKeyedServices(WebhooksHosting.Service)] Database database, WebhookOptions options)
{
    /// <summary>How long a claim outlives its worker: longer than an attempt takes, with its commit.</summary>
    public static readonly TimeSpan ClaimTime = DeliverySender.Patience * 3;

    public async Task<List<BusySubscription>> FindBusyAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(DeliveryQueries.Busy);
        var busy = new List<BusySubscription>();
        while (await rows.ReadAsync(cancellationToken))
            busy.Add(new BusySubscription(rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2), (int)rows.GetInt64(3)));

        return busy;
    }

    /// <param name="wanted">In the order of ids, as everybody locks them.</param>
    public Task<List<(LaneClaim Lane, PendingDelivery Head)>> ClaimAsync(IReadOnlyList<Wanted> wanted, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var claims = new List<(LaneClaim, PendingDelivery)>();
                foreach (var want in wanted)
                    await ClaimAsync(session, want, now, claims);

                return claims;
            },
            cancellationToken);

    /// <summary>The next delivery of a claimed lane; null when there is none, or the subscription wants none any more.</summary>
    public async Task<PendingDelivery?> FindHeadAsync(string subscriptionId, string runId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await HeadAsync(session, subscriptionId, runId);
    }

    private async Task ClaimAsync(WriteSession session, Wanted want, DateTimeOffset now, List<(LaneClaim, PendingDelivery)> claims)
    {
        var until = (now + ClaimTime).ToUnixTimeMilliseconds();
        if (want.Probe != 0 && await session.ExecuteAsync(DeliveryQueries.BeginProbe, want.SubscriptionId, want.Probe, until) == 0)
            return;

        var token = Guid.NewGuid().ToString("n");
        var lanes = await ClaimLanesAsync(session, want, now.ToUnixTimeMilliseconds(), until, token);
        if (lanes.Count == 0 || await FindAsync(session, want.SubscriptionId) is not { } subscription)
            return;

        foreach (var (runId, pending) in lanes)
        {
            if (await HeadAsync(session, want.SubscriptionId, runId) is { } head)
                claims.Add((new LaneClaim(subscription, runId, token), head));
            else
                await session.ExecuteAsync(DeliveryQueries.DropLane, want.SubscriptionId, runId, token, pending);
        }
    }

    private static async Task<List<(string RunId, long Pending)>> ClaimLanesAsync(WriteSession session, Wanted want, long now, long until, string token)
    {
        var sql = session.Dialect == SqlDialect.PostgreSql ? DeliveryQueries.ClaimUnlocked : DeliveryQueries.Claim;
        await using var rows = await session.QueryAsync(sql, want.SubscriptionId, now, (long)want.Count, until, token);
        var lanes = new List<(string, long)>();
        while (await rows.ReadAsync(session.CancellationToken))
            lanes.Add((rows.GetString(0), rows.GetInt64(1)));

        return lanes;
    }

    private async Task<Subscription?> FindAsync(Session session, string id)
    {
        await using var row = await session.QueryAsync(SubscriptionQueries.FindById, id);
        return await row.ReadAsync(session.CancellationToken) ? SubscriptionRows.Read(row, options.Circuit) : null;
    }

    private static async Task<PendingDelivery?> HeadAsync(Session session, string subscriptionId, string runId)
    {
        await using var row = await session.QueryAsync(DeliveryQueries.Head, subscriptionId, runId);
        return await row.ReadAsync(session.CancellationToken) ? Read(row, runId) : null;
    }

    private static PendingDelivery Read(DbDataReader row, string runId) =>
        new(row.GetString(0), runId, row.GetInt64(1), row.GetString(2), row.GetFieldValue<byte[]>(3), (int)row.GetInt64(4))
        {
            Traceparent = row.IsDBNull(5) ? null : row.GetString(5),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
        };
}
