namespace OpenWop.Micro.Storage;

/// <summary>The statements behind <see cref="ShardLeases"/>. Times are Unix milliseconds of one clock (<see cref="NowAsync"/>).</summary>
internal static class ShardTables
{
    private const string PostgreSqlNow = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    /// <summary>
    /// PostgreSQL: the server's clock, so that the clocks of the instances need not agree. SQLite: the process's clock. Read at
    /// the start of a transaction and therefore never ahead, which can only shorten a lease.
    /// </summary>
    public static async Task<long> NowAsync(Session session, TimeProvider time) => session.Dialect == SqlDialect.PostgreSql
        ? await session.ScalarAsync<long>("SELECT " + PostgreSqlNow).ConfigureAwait(false)
        : time.GetUtcNow().ToUnixTimeMilliseconds();

    public static Task EnsureShardsAsync(WriteSession session, int count) => session.ExecuteAsync(
        """
        WITH RECURSIVE numbers (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM numbers WHERE shard + 1 < $1)
        INSERT INTO shards (shard, owner, address, epoch, expires_at)
        SELECT shard, NULL, NULL, 0, 0 FROM numbers WHERE true
        ON CONFLICT (shard) DO NOTHING
        """,
        count);

    public static Task AnnounceAsync(WriteSession session, string owner, string address, long expiresAt) => session.ExecuteAsync(
        """
        INSERT INTO instances (owner, address, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (owner) DO UPDATE SET address = excluded.address, expires_at = excluded.expires_at
        """,
        owner, address, expiresAt);

    public static Task WithdrawAsync(WriteSession session, string owner) => session.ExecuteAsync("DELETE FROM instances WHERE owner = $1", owner);

    /// <summary>When the next lease of another instance runs out; null when nobody else has one.</summary>
    public static async Task<long?> NextExpiryAsync(WriteSession session, string owner, long now)
    {
        var next = await session.ScalarAsync<long>(
            "SELECT coalesce(min(expires_at), 0) FROM shards WHERE owner IS NOT NULL AND owner <> $1 AND expires_at > $2", owner, now).ConfigureAwait(false);
        return next == 0 ? null : next;
    }

    /// <summary>Living instances, the caller among them unless it has withdrawn.</summary>
    public static async Task<int> CountInstancesAsync(WriteSession session, string owner, long now)
    {
        // Two that were frozen together take each other for dead, and each holds its own row: neither may wait for the other's.
        await session.ExecuteAsync(
            session.Dialect == SqlDialect.PostgreSql
                ? """
                  DELETE FROM instances WHERE owner IN (
                      SELECT owner FROM instances WHERE expires_at <= $1 AND owner <> $2 ORDER BY owner FOR UPDATE SKIP LOCKED)
                  """
                : "DELETE FROM instances WHERE expires_at <= $1 AND owner <> $2",
            now, owner).ConfigureAwait(false);
        return (int)await session.ScalarAsync<long>("SELECT count(*) FROM instances WHERE expires_at > $1 OR owner = $2", now, owner).ConfigureAwait(false);
    }

    /// <summary>Prolongs all leases of an owner and tells which those are.</summary>
    public static Task<List<ShardLease>> HeartbeatAsync(WriteSession session, string owner, long expiresAt) => ReadLeasesAsync(
        session.Dialect == SqlDialect.PostgreSql
            // Rows are locked in shard order wherever several are, so that nobody waits in a circle; and under a lock that appends
            // (ReadEpochsAsync) do not wait for, nor it for them: their stream never ends, and the lease must not run out in it.
            ? session.QueryAsync(
                """
                WITH held AS (SELECT shard FROM shards WHERE owner = $1 ORDER BY shard FOR NO KEY UPDATE)
                UPDATE shards SET expires_at = $2 FROM held WHERE shards.shard = held.shard
                RETURNING shards.shard, shards.epoch
                """,
                owner, expiresAt)
            : session.QueryAsync("UPDATE shards SET expires_at = $2 WHERE owner = $1 RETURNING shard, epoch", owner, expiresAt),
        session.CancellationToken);

    /// <summary>Takes free and expired shards; the new epoch shuts the former owner out.</summary>
    public static Task<List<ShardLease>> AcquireAsync(
        WriteSession session, string owner, string address, long now, long expiresAt, int limit) => ReadLeasesAsync(
        session.QueryAsync(
            $"""
            UPDATE shards SET owner = $1, address = $2, epoch = epoch + 1, expires_at = $3
            WHERE shard IN (
                SELECT shard FROM shards WHERE owner IS NULL OR expires_at <= $4
                ORDER BY shard LIMIT $5 {(session.Dialect == SqlDialect.PostgreSql ? "FOR UPDATE SKIP LOCKED" : "")})
            RETURNING shard, epoch
            """,
            owner, address, expiresAt, now, limit),
        session.CancellationToken);

    /// <summary>Takes a shard again that this owner holds in the database but has given up in memory; in-flight writes of before are shut out.</summary>
    public static async Task<ShardLease> RenewEpochAsync(WriteSession session, string owner, int shard)
    {
        if (session.Dialect == SqlDialect.PostgreSql)
            await session.ExecuteAsync("SELECT shard FROM shards WHERE shard = $1 FOR UPDATE", shard).ConfigureAwait(false);

        return new(
            shard,
            await session.ScalarAsync<long>(
                "UPDATE shards SET epoch = epoch + 1 WHERE shard = $1 AND owner = $2 RETURNING epoch", shard, owner).ConfigureAwait(false));
    }

    public static Task ReleaseAsync(WriteSession session, string owner, ShardLease lease) => session.ExecuteAsync(
        "UPDATE shards SET owner = NULL, address = NULL, expires_at = 0 WHERE shard = $1 AND epoch = $2 AND owner = $3",
        lease.Shard, lease.Epoch, owner);

    public static async Task ReleaseAllAsync(WriteSession session, string owner)
    {
        // In the order of a round: the instance, then its shards, these by number.
        await WithdrawAsync(session, owner).ConfigureAwait(false);
        await session.ExecuteAsync(
            $"""
            UPDATE shards SET owner = NULL, address = NULL, expires_at = 0
            WHERE shard IN (SELECT shard FROM shards WHERE owner = $1 ORDER BY shard {(session.Dialect == SqlDialect.PostgreSql ? "FOR NO KEY UPDATE" : "")})
            """,
            owner).ConfigureAwait(false);
    }

    public static async Task<ShardOwner?> FindOwnerAsync(ReadSession session, int shard, TimeProvider time)
    {
        const string Select = "SELECT owner, address, epoch FROM shards WHERE shard = $1 AND owner IS NOT NULL AND expires_at > ";
        await using var reader = await (session.Dialect == SqlDialect.PostgreSql
            ? session.QueryAsync(Select + PostgreSqlNow, shard)
            : session.QueryAsync(Select + "$2", shard, time.GetUtcNow().ToUnixTimeMilliseconds())).ConfigureAwait(false);
        return await reader.ReadAsync(session.CancellationToken).ConfigureAwait(false)
            ? new ShardOwner(reader.GetString(0), reader.GetString(1), reader.GetInt64(2))
            : null;
    }

    /// <summary>
    /// The current epochs; PostgreSQL keeps them from changing until the transaction ends: who gives a shard another epoch locks its row
    /// <c>FOR UPDATE</c> first.
    /// </summary>
    public static async Task<List<ShardLease>> ReadEpochsAsync(WriteSession session, int[] shards)
    {
        if (session.Dialect == SqlDialect.PostgreSql)
        {
            return await ReadLeasesAsync(
                session.QueryAsync("SELECT shard, epoch FROM shards WHERE shard = ANY ($1) ORDER BY shard FOR KEY SHARE", shards),
                session.CancellationToken).ConfigureAwait(false);
        }

        var leases = new List<ShardLease>(shards.Length);
        foreach (var shard in shards)
            leases.Add(new ShardLease(shard, await session.ScalarAsync<long>(
                "SELECT coalesce((SELECT epoch FROM shards WHERE shard = $1), -1)", shard).ConfigureAwait(false)));

        return leases;
    }

    private static async Task<List<ShardLease>> ReadLeasesAsync(
        Task<System.Data.Common.DbDataReader> query, CancellationToken cancellationToken)
    {
        var leases = new List<ShardLease>();
        await using var reader = await query.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            leases.Add(new ShardLease(reader.GetInt32(0), reader.GetInt64(1)));

        return leases;
    }
}
