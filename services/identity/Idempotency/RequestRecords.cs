using System.Security.Cryptography;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Idempotency;

/// <summary>An answer as REST sent it.</summary>
internal sealed record RecordedAnswer(int Status, ReadOnlyMemory<byte> Body, string ETag);

/// <summary>What became of an attempt to claim a record.</summary>
internal abstract record Claim
{
    /// <summary>The caller acts. The execution is the same for everybody who ever acts under this record.</summary>
    public sealed record Execute(byte[] Lease, byte[] Execution) : Claim;

    public sealed record Replay(RecordedAnswer Answer) : Claim;

    public sealed record InFlight(TimeSpan AtMost) : Claim;

    public sealed record Mismatch : Claim;
}

/// <summary>
/// The idempotency records of the installation (spec/http-core.md 6.1). The database decides who acts: any number of gateways and
/// instances of this service may ask at the same time.
/// </summary>
/// <remarks>
/// Bodies of requests may be weak secrets, so that nothing may be in the database that a guess at one could be checked against. Digests are
/// kept under a key; and the execution, from which request ids of other services are made together with the digest, is kept as a seed. Both
/// can be told by their length from those of records of before, which are compared as they were made until they have run out.
/// </remarks>
internal sealed class RequestRecords(Database database, KeyedDigest digests, TimeProvider time)
{
    /// <summary>How long a final outcome is replayed.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(24);

    /// <summary>Records that a tenant may have; beyond, its oldest go first.</summary>
    public const long MaxPerTenant = 1_000_000;

    private const int Final = 1;
    private const int DeletedAtOnce = 2_000;
    private const int FormerExecutionSize = 16;

    /// <summary>Claims a record, or tells what became of the call that did.</summary>
    public Task<Claim> BeginAsync(byte[] recordId, string tenant, byte[] digest, TimeSpan lease, CancellationToken cancellationToken) =>
        database.WriteAsync<Claim>(
            async session =>
            {
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var proof = RandomNumberGenerator.GetBytes(16);
                var kept = digests.Of(digest);
                while (true)
                {
                    var execution = await session.ScalarAsync<byte[]>(
                        RequestRecordQueries.Claim,
                        recordId, tenant, kept, digests.NewSeed(), proof, now + (long)lease.TotalMilliseconds, now, OldestValid(now));
                    if (execution is not null)
                        return new Claim.Execute(proof, execution.Length == FormerExecutionSize ? execution : digests.Blind(execution));

                    // Between the two statements another transaction may have discarded the record: then it can be claimed after all.
                    if (await FindAsync(session, recordId, digest, now) is { } found)
                        return found;
                }
            },
            cancellationToken);

    /// <summary>Prolongs a lease from now on. False when it was lost.</summary>
    public Task<bool> RenewAsync(byte[] recordId, byte[] lease, TimeSpan duration, CancellationToken cancellationToken) => ChangeAsync(
        session => session.ExecuteAsync(
            RequestRecordQueries.Renew, recordId, lease, time.GetUtcNow().ToUnixTimeMilliseconds() + (long)duration.TotalMilliseconds),
        cancellationToken);

    /// <summary>Keeps the outcome. False when the lease was lost.</summary>
    public Task<bool> FinishAsync(byte[] recordId, byte[] lease, RecordedAnswer answer, CancellationToken cancellationToken) =>
        ChangeAsync(session => session.ExecuteAsync(RequestRecordQueries.Finish, recordId, lease, (long)answer.Status, answer.Body, answer.ETag), cancellationToken);

    /// <summary>Lets the next call with the key execute again, as the same execution. False when the lease was lost.</summary>
    public Task<bool> RetryAsync(byte[] recordId, byte[] lease, CancellationToken cancellationToken) =>
        ChangeAsync(session => session.ExecuteAsync(RequestRecordQueries.Retry, recordId, lease), cancellationToken);

    /// <summary>Forgets the record. False when the lease was lost.</summary>
    public Task<bool> DiscardAsync(byte[] recordId, byte[] lease, CancellationToken cancellationToken) =>
        ChangeAsync(session => session.ExecuteAsync(RequestRecordQueries.Discard, recordId, lease), cancellationToken);

    /// <summary>Removes records that have outlived their retention, and the oldest of tenants that have too many.</summary>
    /// <returns>Number of records removed.</returns>
    public async Task<long> SweepAsync(long maxPerTenant, CancellationToken cancellationToken)
    {
        var removed = 0L;
        int batch;
        do
        {
            // In small transactions: nobody waits behind a large one.
            batch = await database.WriteAsync(
                session => session.ExecuteAsync(RequestRecordQueries.DeleteOld, OldestValid(time.GetUtcNow().ToUnixTimeMilliseconds()), (long)DeletedAtOnce),
                cancellationToken);
            removed += batch;
        }
        while (batch == DeletedAtOnce);

        foreach (var (tenant, surplus) in await CrowdedAsync(maxPerTenant, cancellationToken))
        {
            for (var left = surplus; left > 0; left -= DeletedAtOnce)
            {
                removed += await database.WriteAsync(
                    session => session.ExecuteAsync(RequestRecordQueries.DeleteOldest, tenant, Math.Min(left, DeletedAtOnce)), cancellationToken);
            }
        }

        return removed;
    }

    private bool IsSame(byte[] kept, byte[] digest) => kept.Length == SHA256.HashSizeInBytes
        ? CryptographicOperations.FixedTimeEquals(kept, digest)
        : digests.Matches(kept, digest);

    private async Task<Claim?> FindAsync(WriteSession session, byte[] recordId, byte[] digest, long now)
    {
        await using var row = await session.QueryAsync(RequestRecordQueries.Find, recordId);
        if (!await row.ReadAsync(session.CancellationToken))
            return null;

        if (row.GetInt32(1) != Final)
            return new Claim.InFlight(TimeSpan.FromMilliseconds(Math.Max(1, row.IsDBNull(2) ? 1 : row.GetInt64(2) - now)));

        return IsSame(row.GetFieldValue<byte[]>(0), digest)
            ? new Claim.Replay(new RecordedAnswer(row.GetInt32(3), row.GetFieldValue<byte[]>(4), row.GetString(5)))
            : new Claim.Mismatch();
    }

    private async Task<List<(string Tenant, long Surplus)>> CrowdedAsync(long maxPerTenant, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(RequestRecordQueries.Crowded, maxPerTenant);
        var crowded = new List<(string, long)>();
        while (await rows.ReadAsync(cancellationToken))
            crowded.Add((rows.GetString(0), rows.GetInt64(1)));
        return crowded;
    }

    private async Task<bool> ChangeAsync(Func<WriteSession, Task<int>> change, CancellationToken cancellationToken) =>
        await database.WriteAsync(change, cancellationToken) == 1;

    private static long OldestValid(long now) => now - (long)Retention.TotalMilliseconds;
}
