using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Audit;

/// <summary>
/// Signed checkpoints of audit logs: one per thousand entries, in the transaction of the thousandth, and one for whatever is new every
/// five minutes. With several instances each looks; what one has sealed the others do not find.
/// </summary>
internal sealed partial class AuditCheckpoints(
    [FromKeyedServices("identity")] Database database, CheckpointKey key, TimeProvider time, ILogger<AuditCheckpoints> logger) : BackgroundService
{
    public const int IntervalEntries = 1000;
    public const int IntervalSeconds = 300;

    private const int PageSize = 200;

    private static readonly TimeSpan BatchMemory = TimeSpan.FromHours(1);

    /// <summary>Name of a checkpoint: of one organization and one place in its log.</summary>
    public static string IdOf(string tenant, long sequence) => $"{tenant}:{sequence}";

    /// <summary>Seals a log up to its end. The head is written by the caller.</summary>
    public void Add(WriteSession session, string tenant, AuditHead head, long now)
    {
        var root = head.Frontier.Root();
        var signature = key.Sign(CheckpointKey.Message(IdOf(tenant, head.Sequence), head.Sequence, root));
        session.Enqueue(
            "INSERT INTO audit_checkpoints (tenant, sequence, merkle_root, frontier, signature, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            tenant, head.Sequence, root, head.Frontier.ToBytes(), signature, now);
        head.Checkpoint = head.Sequence;
    }

    /// <summary>Seals every log that has new entries.</summary>
    public async Task SealAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        for (var after = ""; ;)
        {
            var page = await UnsealedAsync(after, cancellationToken);
            foreach (var tenant in page)
            {
                await database.WriteAsync(
                    async session =>
                    {
                        await AuditTrail.LockAsync(session, tenant);
                        if (await AuditHead.ReadAsync(session, tenant) is { } head && head.Sequence > head.Checkpoint)
                        {
                            Add(session, tenant, head, now.ToUnixTimeMilliseconds());
                            head.Write(session, tenant);
                        }
                    },
                    cancellationToken);
            }

            if (page.Count < PageSize)
                break;
            after = page[^1];
        }

        await database.WriteAsync(
            session => session.ExecuteAsync("DELETE FROM audit_batches WHERE created_at < $1", (now - BatchMemory).ToUnixTimeMilliseconds()), cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(IntervalSeconds), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await SealAsync(stoppingToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    Log.NotSealed(logger, exception);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task<List<string>> UnsealedAsync(string after, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(
            "SELECT tenant FROM tenants WHERE audit_sequence > audit_checkpoint AND tenant > $1 ORDER BY tenant LIMIT $2", after, (long)PageSize);
        var tenants = new List<string>();
        while (await rows.ReadAsync(cancellationToken))
            tenants.Add(rows.GetString(0));
        return tenants;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Checkpoints of audit logs could not be written and are tried again later")]
        public static partial void NotSealed(ILogger logger, Exception exception);
    }
}
