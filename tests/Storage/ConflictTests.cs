using Npgsql;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

/// <summary>Transactions that get in each other's way; only PostgreSQL runs several at a time.</summary>
[Collection(WithDatabases.Name)]
public sealed class ConflictTests(TestDatabases databases)
{
    [Fact]
    public async Task Of_two_transactions_that_wait_for_each_other_one_runs_again_and_both_commit()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        await database.WriteAsync(session => session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, ''), (2, '')"), CancellationToken.None);
        using var bothHoldOne = new Barrier(2);
        var attempts = 0;

        await Task.WhenAll(AppendAsync(1, 2), AppendAsync(2, 1)).WaitAsync(Eventually.Limit);

        Assert.Equal(3, attempts);
        await using var reading = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal("xx", await reading.ScalarAsync<string>("SELECT value FROM rows WHERE id = 1"));
        Assert.Equal("xx", await reading.ScalarAsync<string>("SELECT value FROM rows WHERE id = 2"));

        Task AppendAsync(long first, long second) => Task.Run(() => database.WriteAsync(
            async session =>
            {
                var attempt = Interlocked.Increment(ref attempts);
                await session.ExecuteAsync("UPDATE rows SET value = value || 'x' WHERE id = $1", first);
                if (attempt <= 2)
                    bothHoldOne.SignalAndWait(Eventually.Limit);

                await session.ExecuteAsync("UPDATE rows SET value = value || 'x' WHERE id = $1", second);
            },
            CancellationToken.None));
    }

    [Theory]
    [InlineData("40P01")]
    [InlineData("40001")]
    public async Task A_conflict_that_does_not_end_is_told_after_a_few_attempts_and_is_temporary(string state)
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        var attempts = 0;

        var failure = await Assert.ThrowsAsync<PostgresException>(() => database.WriteAsync(
            async session =>
            {
                attempts++;
                await session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, '')");
                await session.ExecuteAsync($"DO $$ BEGIN RAISE EXCEPTION 'others' USING ERRCODE = '{state}'; END $$");
            },
            CancellationToken.None));

        Assert.Equal(5, attempts);
        Assert.True(DatabaseErrors.IsConflict(failure));
        Assert.True(DatabaseErrors.IsTemporary(failure));
        await using var reading = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal(0, await reading.ScalarAsync<long>("SELECT count(*) FROM rows"));
    }

    [Fact]
    public async Task Mistakes_are_not_repeated()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        var attempts = 0;

        var failure = await Assert.ThrowsAsync<PostgresException>(() => database.WriteAsync(
            session =>
            {
                attempts++;
                return session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, ''), (1, '')");
            },
            CancellationToken.None));

        Assert.Equal(1, attempts);
        Assert.False(DatabaseErrors.IsTemporary(failure));
    }

    [Fact]
    public async Task A_heartbeat_does_not_wait_for_appends_but_a_new_epoch_does()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        await database.WriteAsync(session => ShardTables.EnsureShardsAsync(session, 2), CancellationToken.None);
        await database.WriteAsync(session => ShardTables.AcquireAsync(session, "a", "http://a", now: 1, expiresAt: 2, limit: 2), CancellationToken.None);
        var verified = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var append = database.WriteAsync(
            async session =>
            {
                Assert.True(await ShardLeases.VerifyEpochsAsync(session, [new ShardLease(0, 1), new ShardLease(1, 1)]));
                verified.SetResult();
                await gate.Task;
            },
            CancellationToken.None);
        await verified.Task.WaitAsync(Eventually.Limit);

        var kept = await database.WriteAsync(session => ShardTables.HeartbeatAsync(session, "a", expiresAt: 3), CancellationToken.None).WaitAsync(Eventually.Limit);
        Assert.Equal([0, 1], kept.Select(lease => lease.Shard).Order());
        Assert.Empty(await database.WriteAsync(session => ShardTables.AcquireAsync(session, "b", "http://b", now: 9, expiresAt: 10, limit: 2), CancellationToken.None));
        var renewal = database.WriteAsync(session => ShardTables.RenewEpochAsync(session, "a", 0), CancellationToken.None);
        await using (var session = await database.OpenReadAsync(CancellationToken.None))
            await Eventually.TrueAsync(async () => await session.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0);

        Assert.False(renewal.IsCompleted);
        gate.SetResult();
        await append;
        Assert.Equal(2, (await renewal.WaitAsync(Eventually.Limit)).Epoch);
    }

    [Fact]
    public async Task An_append_waits_for_a_new_epoch_that_is_being_written_and_is_refused_then()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        await database.WriteAsync(session => ShardTables.EnsureShardsAsync(session, 1), CancellationToken.None);
        var taken = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var takeOver = database.WriteAsync(
            async session =>
            {
                await ShardTables.AcquireAsync(session, "b", "http://b", now: 1, expiresAt: 2, limit: 1);
                taken.SetResult();
                await gate.Task;
            },
            CancellationToken.None);
        await taken.Task.WaitAsync(Eventually.Limit);

        var append = database.WriteAsync(session => ShardLeases.VerifyEpochsAsync(session, [new ShardLease(0, 0)]), CancellationToken.None);
        await using (var session = await database.OpenReadAsync(CancellationToken.None))
            await Eventually.TrueAsync(async () => await session.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0);

        Assert.False(append.IsCompleted);
        gate.SetResult();
        await takeOver;
        Assert.False(await append.WaitAsync(Eventually.Limit));
    }

    [Fact]
    public async Task Instances_that_take_each_other_for_dead_do_not_wait_for_each_other()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        using var bothAnnounced = new Barrier(2);
        await Task.WhenAll(RoundAsync("a"), RoundAsync("b")).WaitAsync(Eventually.Limit);

        await using var reading = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal(2, await reading.ScalarAsync<long>("SELECT count(*) FROM instances"));

        async Task RoundAsync(string owner)
        {
            await database.WriteAsync(session => ShardTables.AnnounceAsync(session, owner, "http://" + owner, expiresAt: 1), CancellationToken.None);
            await Task.Run(() => database.WriteAsync(
                async session =>
                {
                    await ShardTables.AnnounceAsync(session, owner, "http://" + owner, expiresAt: 20);
                    bothAnnounced.SignalAndWait(Eventually.Limit);
                    await ShardTables.CountInstancesAsync(session, owner, now: 10);
                },
                CancellationToken.None));
        }
    }
}
