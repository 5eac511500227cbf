using System.Data.Common;
using System.Globalization;
using Google.Protobuf;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using AttemptMessage = OpenWop.Micro.Contracts.Webhooks.V1.Attempt;
using DeliveryMessage = OpenWop.Micro.Contracts.Webhooks.V1.Delivery;

namespace OpenWop.Micro.Webhooks.Store;

/// <summary>What became of deliveries, and what callers put into the queue themselves. Who may see a subscription is checked before.</summary>
internal sealed class DeliveryHistory([FromKeyedServices(WebhooksHosting.Service)] Database database, TimeProvider clock)
{
    /// <summary>So many waiting deliveries are counted.</summary>
    private const long MaxCounted = 10_000;

    /// <summary>Deliveries, newest first.</summary>
    /// <param name="status">One status, or empty for all.</param>
    /// <param name="before">Cursor of a page, or empty.</param>
    public async Task<(List<DeliveryMessage> Page, string Next)> ListAsync(string webhookId, string status, string before, int limit, CancellationToken cancellationToken)
    {
        var (createdAt, id) = ParseCursor(before);
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await (status.Length == 0
            ? session.QueryAsync(HistoryQueries.List, webhookId, createdAt, id, (long)limit)
            : session.QueryAsync(HistoryQueries.ListByStatus, webhookId, createdAt, id, (long)limit, status));
        var page = new List<DeliveryMessage>();
        while (await rows.ReadAsync(cancellationToken))
            page.Add(Read(rows, webhookId));

        return (page, page.Count < limit ? "" : string.Create(CultureInfo.InvariantCulture, $"{page[^1].CreatedAt}.{page[^1].DeliveryId}"));
    }

    /// <summary>A delivery with its body and its attempts.</summary>
    public async Task<DeliveryMessage?> FindAsync(string webhookId, string deliveryId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        DeliveryMessage delivery;
        await using (var row = await session.QueryAsync(HistoryQueries.Find, deliveryId, webhookId))
        {
            if (!await row.ReadAsync(cancellationToken))
                return null;

            delivery = Read(row, webhookId);
            delivery.Body = UnsafeByteOperations.UnsafeWrap(row.GetFieldValue<byte[]>(8));
        }

        await using var attempts = await session.QueryAsync(HistoryQueries.Attempts, deliveryId);
        while (await attempts.ReadAsync(cancellationToken))
        {
            delivery.Attempts.Add(new AttemptMessage
            {
                Number = (int)attempts.GetInt64(0),
                StartedAt = attempts.GetInt64(1),
                DurationMs = (int)attempts.GetInt64(2),
                StatusCode = (int)attempts.GetInt64(3),
                Error = attempts.GetString(4),
            });
        }

        return delivery;
    }

    public async Task<long> CountPendingAsync(string webhookId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<long>(HistoryQueries.CountPending, webhookId, MaxCounted);
    }

    /// <summary>Puts a dead letter into the queue again.</summary>
    /// <returns>False = it is none.</returns>
    public Task<bool> ReviveAsync(string webhookId, string deliveryId, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            if (await session.ScalarAsync<string>(HistoryQueries.Revive, deliveryId, webhookId) is not { } runId)
                return false;

            session.Enqueue(DeliveryQueries.ExtendLane, webhookId, runId, clock.GetUtcNow().ToUnixTimeMilliseconds(), 1L);
            return true;
        },
        cancellationToken);

    /// <summary>Puts a delivery into the queue that belongs to no run of the engine.</summary>
    public Task AddAsync(string webhookId, PendingDelivery delivery, CancellationToken cancellationToken) => database.WriteAsync(
        session =>
        {
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            session.Enqueue(DeliveryQueries.InsertDelivery, delivery.Id, webhookId, delivery.RunId, delivery.Sequence, delivery.EventType, delivery.Body, now, delivery.Traceparent);
            session.Enqueue(DeliveryQueries.ExtendLane, webhookId, delivery.RunId, now, 1L);
            return Task.CompletedTask;
        },
        cancellationToken);

    /// <summary>A cursor that is none begins anew.</summary>
    private static (long CreatedAt, string Id) ParseCursor(string cursor) =>
        cursor.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && long.TryParse(cursor.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var createdAt)
            ? (createdAt, cursor[(dot + 1)..])
            : (long.MaxValue, "");

    private static DeliveryMessage Read(DbDataReader row, string webhookId) => new()
    {
        DeliveryId = row.GetString(0),
        WebhookId = webhookId,
        RunId = row.GetString(1),
        Sequence = row.GetInt64(2),
        EventType = row.GetString(3),
        Status = row.GetString(4),
        AttemptCount = (int)row.GetInt64(5),
        CreatedAt = row.GetInt64(6),
        SettledAt = row.GetInt64(7),
    };
}
