using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

[Collection(WithDatabases.Name)]
public sealed class ShardLeaseTests(TestDatabases databases)
{
    private const int Shards = 8;

    [Fact]
    public async Task A_lone_instance_takes_all_shards_and_frees_them_at_the_end()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var only = new Instance(database, "a", time);

        await only.Leases.StartAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, Shards), only.Leases.Held.Keys.Order());
        Assert.Equal(new ShardOwner("a", "http://a", 1), await only.Leases.FindOwnerAsync(3, CancellationToken.None));

        await only.Leases.DisposeAsync();
        Assert.Equal(Shards, only.Released.Count);
        Assert.Null(await only.Leases.FindOwnerAsync(3, CancellationToken.None));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_newcomer_gets_its_fair_share(SqlDialect dialect)
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(dialect);
        await using var first = new Instance(database, "a", time);
        await using var second = new Instance(database, "b", time);
        await first.Leases.StartAsync(CancellationToken.None);
        await second.Leases.StartAsync(CancellationToken.None);
        Assert.Empty(second.Leases.Held);

        await first.Leases.RunRoundAsync(CancellationToken.None);
        await Eventually.TrueAsync(() => first.Leases.Held.Count == Shards / 2);
        await second.Leases.RunRoundAsync(CancellationToken.None);

        Assert.Equal(Shards / 2, second.Leases.Held.Count);
        Assert.Empty(first.Leases.Held.Keys.Intersect(second.Leases.Held.Keys));
        Assert.Empty(first.LostOnes);
        Assert.All(second.Leases.Held.Values, epoch => Assert.Equal(2, epoch));
    }

    [Fact]
    public async Task A_silent_owner_is_replaced_after_the_lease_time_and_hears_of_it()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var silent = new Instance(database, "silent", time);
        await silent.Leases.StartAsync(CancellationToken.None);
        await using var other = new Instance(database, "other", new FakeTimeProvider(time.GetUtcNow()));
        await other.Leases.StartAsync(CancellationToken.None);

        ((FakeTimeProvider)other.Time).Advance(TimeSpan.FromSeconds(9.9)); // only the clock of `other` goes on
        await other.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Empty(other.Leases.Held);
        ((FakeTimeProvider)other.Time).Advance(TimeSpan.FromSeconds(0.2));
        await other.Leases.RunRoundAsync(CancellationToken.None);

        Assert.Equal(Shards, other.Leases.Held.Count);
        Assert.All(other.Leases.Held.Values, epoch => Assert.Equal(2, epoch));

        time.Advance(TimeSpan.FromSeconds(10.1));
        await silent.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Equal(Shards, silent.LostOnes.Count);
        Assert.Empty(silent.Leases.Held);
        await silent.DisposeAsync();
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task An_append_with_an_old_epoch_is_refused(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);
        await using var instance = new Instance(database, "a", new FakeTimeProvider());
        await instance.Leases.StartAsync(CancellationToken.None);

        Assert.True(await VerifyAsync(database, new ShardLease(0, 1), new ShardLease(5, 1), new ShardLease(0, 1)));
        await database.WriteAsync(session => session.ExecuteAsync("UPDATE shards SET epoch = 2, owner = 'b' WHERE shard = 5"), CancellationToken.None);

        Assert.True(await VerifyAsync(database, new ShardLease(0, 1)));
        Assert.False(await VerifyAsync(database, new ShardLease(0, 1), new ShardLease(5, 1)));
        Assert.False(await VerifyAsync(database, new ShardLease(Shards, 0)));
    }

    [Fact]
    public async Task A_restarted_exclusive_instance_takes_everything_at_once()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var killed = new Instance(database, "before", time);
        await killed.Leases.StartAsync(CancellationToken.None);

        await using var restarted = new Instance(database, "after", time, exclusive: true);
        await restarted.Leases.StartAsync(CancellationToken.None);

        Assert.Equal(Shards, restarted.Leases.Held.Count);
        Assert.All(restarted.Leases.Held.Values, epoch => Assert.Equal(2, epoch));
    }

    [Fact]
    public async Task An_instance_cut_off_from_the_database_gives_up_and_comes_back_with_new_epochs()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var instance = new Instance(database, "a", time);
        await instance.Leases.StartAsync(CancellationToken.None);

        await database.WriteAsync(session => session.ExecuteAsync("ALTER TABLE instances RENAME TO unreachable"), CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(9));
        await instance.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Empty(instance.LostOnes);
        time.Advance(TimeSpan.FromSeconds(1));
        await instance.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Equal(Shards, instance.LostOnes.Count);
        Assert.Empty(instance.Leases.Held);

        await database.WriteAsync(session => session.ExecuteAsync("ALTER TABLE unreachable RENAME TO instances"), CancellationToken.None);
        await instance.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Equal(Shards, instance.Leases.Held.Count);
        Assert.All(instance.Leases.Held.Values, epoch => Assert.Equal(2, epoch));
    }

    [Fact]
    public async Task An_instance_that_was_frozen_and_missed_by_nobody_keeps_its_epochs_and_hears_of_its_shards_again()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var instance = new Instance(database, "a", time);
        await instance.Leases.StartAsync(CancellationToken.None);
        await instance.Leases.RunRoundAsync(CancellationToken.None);
        Assert.Equal(Shards, instance.AcquiredOnes.Count);

        time.Advance(TimeSpan.FromSeconds(11));

        await Eventually.TrueAsync(() => instance.AcquiredOnes.Count == 2 * Shards);
        Assert.True(instance.Leases.IsConfirmed);
        Assert.All(instance.AcquiredOnes, lease => Assert.Equal(1, lease.Epoch));
        Assert.Empty(instance.LostOnes);
    }

    [Fact]
    public async Task Two_that_find_each_other_dead_do_not_wait_for_each_other()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.PostgreSql);
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        await using var instance = new Instance(database, "a", TimeProvider.System);
        await instance.Leases.StartAsync(CancellationToken.None);
        await database.WriteAsync(one => one.ExecuteAsync("INSERT INTO instances (owner, address, expires_at) VALUES ('b', 'http://b', 0)"), CancellationToken.None);
        var locked = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var other = database.WriteAsync(
            async one =>
            {
                await one.ExecuteAsync("UPDATE instances SET expires_at = 1 WHERE owner = 'b'");
                locked.SetResult();
                await gate.Task;
            },
            CancellationToken.None);
        await locked.Task.WaitAsync(Eventually.Limit);

        await instance.Leases.RunRoundAsync(CancellationToken.None).WaitAsync(Eventually.Limit);

        Assert.Equal(1, await session.ScalarAsync<long>("SELECT count(*) FROM instances WHERE owner = 'b'"));
        gate.SetResult();
        await other;
        await instance.Leases.RunRoundAsync(CancellationToken.None);
        await using var after = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal(0, await after.ScalarAsync<long>("SELECT count(*) FROM instances WHERE owner = 'b'"));
    }

    [Fact]
    public async Task The_heartbeat_runs_by_itself()
    {
        var time = new FakeTimeProvider();
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var instance = new Instance(database, "a", time);
        await instance.Leases.StartAsync(CancellationToken.None);

        for (var beat = 0; beat < 8; beat++)
        {
            var before = await ExpiryAsync(database);
            await Eventually.TrueAsync(async () =>
            {
                time.Advance(TimeSpan.FromSeconds(0.5));
                return await ExpiryAsync(database) > before;
            });
        }

        Assert.Empty(instance.LostOnes);
    }

    private static Task<bool> VerifyAsync(Database database, params ShardLease[] leases) =>
        database.WriteAsync(session => ShardLeases.VerifyEpochsAsync(session, leases), CancellationToken.None);

    private static async Task<long> ExpiryAsync(Database database)
    {
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        return await session.ScalarAsync<long>("SELECT min(expires_at) FROM shards");
    }

    private sealed class Instance : IAsyncDisposable
    {
        public Instance(Database database, string name, TimeProvider time, bool exclusive = false)
        {
            Time = time;
            Leases = new ShardLeases(
                database,
                new ShardLeaseOptions { ShardCount = Shards, Owner = name, Address = "http://" + name, Exclusive = exclusive },
                new ShardLeaseHandlers
                {
                    Acquired = lease => AcquiredOnes.Enqueue(lease),
                    Releasing = lease =>
                    {
                        Released.Enqueue(lease);
                        return Task.CompletedTask;
                    },
                    Lost = lease => LostOnes.Enqueue(lease),
                },
                time);
        }

        public TimeProvider Time { get; }

        public ShardLeases Leases { get; }

        public ConcurrentQueue<ShardLease> AcquiredOnes { get; } = new();

        public ConcurrentQueue<ShardLease> Released { get; } = new();

        public ConcurrentQueue<ShardLease> LostOnes { get; } = new();

        public ValueTask DisposeAsync() => Leases.DisposeAsync();
    }
}
