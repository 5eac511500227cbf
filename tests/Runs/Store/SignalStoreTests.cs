using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Store;

public sealed class SignalStoreTests
{
    private const string InsertRun = """
        INSERT INTO runs (run_id, shard, tenant, test, workflow_id, status, last_sequence, active, created_at, updated_at)
        VALUES ($1, $2, 't', 0, 'w', $3, 0, 0, 0, 0)
        """;

    [Fact]
    public async Task On_SQLite_what_waits_is_found_once_and_in_order()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("runs.db"), "runs"));
        await WaitingIsFoundAsync(database);
    }

    [Fact]
    public async Task On_PostgreSql_what_waits_is_found_once_and_in_order()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "runs"));
        await WaitingIsFoundAsync(database);
    }

    private static async Task WaitingIsFoundAsync(Database database)
    {
        await Migrations.ApplyAsync(database, typeof(SignalStore).Assembly, CancellationToken.None);
        var store = new SignalStore(database);
        string[] runs = [.. Enumerable.Range(0, 3).Select(_ => RunIds.New(5, DateTimeOffset.UnixEpoch)).Order(StringComparer.Ordinal)];
        var paused = RunIds.New(5, DateTimeOffset.UnixEpoch);
        var elsewhere = RunIds.New(6, DateTimeOffset.UnixEpoch);
        List<RunSignal> sent =
        [
            .. runs.SelectMany(run => Enumerable.Range(0, 4), (run, sequence) => Report(run, sequence)),
            Report(paused, 1),
            new RunSignal.Cancel(paused, "run-parent", 2, "parent-cancelled"),
            Report(elsewhere, 1),
        ];
        await database.WriteAsync(
            async session =>
            {
                foreach (var run in runs.Append(elsewhere))
                    await session.ExecuteAsync(InsertRun, run, (long)RunIds.ShardOf(run)!, "running");

                await session.ExecuteAsync(InsertRun, paused, 5L, "paused");
                SignalStore.Write(session, sent, [], now: 1);
                SignalStore.Write(session, sent, [sent[0]], now: 2);
            },
            CancellationToken.None);

        Assert.Equal([1L, 2L, 3L], (await store.OfRunAsync(runs[0], CancellationToken.None)).Select(signal => signal.SourceSequence));
        List<RunSignal> found = [];
        for (var page = await store.OfShardAsync(5, null, 5, CancellationToken.None); page.Count > 0;)
        {
            found.AddRange(page);
            page = await store.OfShardAsync(5, page[^1], 5, CancellationToken.None);
        }

        Assert.Equal(12, found.Count);
        Assert.Equal(found.Select(signal => (signal.Target, signal.Key)).Order(), found.Select(signal => (signal.Target, signal.Key)));
        Assert.Single(found, signal => signal is RunSignal.Cancel { Target: var target, Reason: "parent-cancelled" } && target == paused);
        Assert.DoesNotContain(found, signal => signal.Target == elsewhere);
    }

    private static RunSignal.ChildReport Report(string target, long sequence) => new(target, "run-child", sequence, "node", 0, "running", null);
}
