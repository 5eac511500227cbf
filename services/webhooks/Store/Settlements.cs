using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Store;

/// <summary>The outcome of an attempt, to be stored.</summary>
/// <param name="RetryAt">When to try again; null = delivered, or given up.</param>
/// <param name="KeepsClaim">Whether the worker goes on with the lane, if there is more in it.</param>
internal sealed record Settlement(LaneClaim Lane, PendingDelivery Delivery, Attempt Attempt, DateTimeOffset? RetryAt, bool KeepsClaim);

/// <summary>What became of a settlement.</summary>
/// <param name="IsLost">The claim had ended, and somebody else has the lane: nothing was stored.</param>
/// <param name="Waiting">Deliveries that the lane still has.</param>
internal readonly record struct Settled(bool IsLost, long Waiting);

/// <summary>
/// Stores outcomes of attempts, many in one commit: the delivery, the attempt, the lane and the circuit of the subscription. Rows are
/// locked in one order everywhere (lanes by id, then subscriptions by id), so that workers never wait for each other in a circle.
/// </summary>
internal sealed class Settlements : IAsyncDisposable
{
    private readonly GroupCommit<Settlement, Settled> commits;
    private readonly TimeProvider clock;
    private readonly WebhookOptions options;

    public Settlements([FromKeyedServices(WebhooksHosting.Service)] Database database, WebhookOptions options, TimeProvider clock, ILogger<Settlements> logger)
    {
        this.clock = clock;
        this.options = options;
        commits = new GroupCommit<Settlement, Settled>(database, new GroupCommitOptions { Name = "webhooks" }, WriteAsync, onCommitted: null, logger);
    }

    public Task<Settled> StoreAsync(Settlement settlement) => commits.SubmitAsync(settlement, CancellationToken.None);

    /// <summary>Commits what is queued and refuses more.</summary>
    public ValueTask DisposeAsync() => commits.DisposeAsync();

    private async Task<IReadOnlyList<Settled>> WriteAsync(WriteSession session, IReadOnlyList<Settlement> items)
    {
        var results = new Settled[items.Count];
        var order = Enumerable.Range(0, items.Count)
            .OrderBy(i => items[i].Lane.Subscription.Id, StringComparer.Ordinal)
            .ThenBy(i => items[i].Lane.RunId, StringComparer.Ordinal)
            .ToArray();
        foreach (var i in order)
            results[i] = await MoveLaneAsync(session, items[i]);

        foreach (var i in order)
        {
            if (results[i].IsLost)
                continue;

            await SettleAsync(session, items[i]);
            if (results[i].Waiting <= 0)
                session.Enqueue(DeliveryQueries.DropEmptyLane, items[i].Lane.Subscription.Id, items[i].Lane.RunId);
        }

        return results;
    }

    private async Task<Settled> MoveLaneAsync(WriteSession session, Settlement item)
    {
        var now = clock.GetUtcNow();
        var (webhookId, runId) = (item.Lane.Subscription.Id, item.Lane.RunId);
        var dueAt = item.KeepsClaim ? now + LaneStore.ClaimTime : item.RetryAt ?? now;
        await using (var row = await session.QueryAsync(
            DeliveryQueries.MoveLane, webhookId, runId, item.Lane.Token, item.RetryAt is null ? 1L : 0L, dueAt.ToUnixTimeMilliseconds(), item.KeepsClaim ? item.Lane.Token : null))
        {
            if (!await row.ReadAsync(session.CancellationToken))
                return new Settled(IsLost: true, Waiting: 0);

            return new Settled(IsLost: false, row.GetInt64(0));
        }
    }

    private async Task SettleAsync(WriteSession session, Settlement item)
    {
        var (delivery, attempt) = (item.Delivery, item.Attempt);
        var number = delivery.Attempts + 1L;
        var status = attempt.Succeeded ? DeliveryStatus.Delivered : item.RetryAt is null ? DeliveryStatus.Dead : DeliveryStatus.Pending;
        session.Enqueue(
            DeliveryQueries.SettleDelivery, delivery.Id, status, number, status == DeliveryStatus.Pending ? null : clock.GetUtcNow().ToUnixTimeMilliseconds());
        session.Enqueue(
            DeliveryQueries.InsertAttempt,
            delivery.Id, number, attempt.StartedAt.ToUnixTimeMilliseconds(), (long)attempt.Duration.TotalMilliseconds, (long)attempt.StatusCode, attempt.Error);
        if (attempt.Succeeded)
            session.Enqueue(DeliveryQueries.CloseCircuit, item.Lane.Subscription.Id);
        else
            await CountFailureAsync(session, item.Lane.Subscription.Id);
    }

    private async Task CountFailureAsync(WriteSession session, string webhookId)
    {
        Subscription subscription;
        var sql = session.Dialect == SqlDialect.PostgreSql ? SubscriptionQueries.Lock : SubscriptionQueries.FindById;
        await using (var row = await session.QueryAsync(sql, webhookId))
        {
            // Deleted meanwhile.
            if (!await row.ReadAsync(session.CancellationToken))
                return;

            subscription = SubscriptionRows.Read(row, options.Circuit);
        }

        var circuit = subscription.Circuit.AfterFailure(clock.GetUtcNow());
        await session.ExecuteAsync(
            SubscriptionQueries.SetCircuit,
            webhookId,
            (long)circuit.ConsecutiveFailures,
            circuit.OpenedAt?.ToUnixTimeMilliseconds() ?? 0L,
            SubscriptionRows.Numbers(circuit.Failures.Select(at => at.ToUnixTimeMilliseconds())),
            circuit.OpenedAt is { } opened ? (opened + circuit.Rules.OpenFor).ToUnixTimeMilliseconds() : 0L,
            circuit.IsFailed ? SubscriptionStatus.Failed : subscription.Status);
        if (circuit.IsFailed)
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
    }
}
