using Microsoft.Extensions.Logging.Abstractions;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Runs.Nodes.Tests;

/// <summary>A database with the tables of the runs service, shared by the ledgers of one test.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private const int Shard = 3;

    private readonly TempFolder folder = new();

    private TestDatabase(DatabaseOptions? options) =>
        Database = Database.Create(options ?? DatabaseOptions.Sqlite(folder.File("runs.db"), "runs"));

    public Database Database { get; }

    /// <summary>A run of the shard that ledgers of this database own.</summary>
    public string RunId { get; } = RunIds.New(Shard, NodeHarness.Now);

    /// <param name="options">Where; null = a new SQLite file.</param>
    public static async Task<TestDatabase> CreateAsync(DatabaseOptions? options = null)
    {
        var database = new TestDatabase(options);
        await Migrations.ApplyAsync(database.Database, typeof(BuiltInNodes).Assembly, CancellationToken.None);
        await database.Database.WriteAsync(
            session => session.ExecuteAsync("INSERT INTO shards (shard, owner, address, epoch, expires_at) VALUES ($1, 'a', 'a', 0, 0)", Shard),
            CancellationToken.None);
        return database;
    }

    /// <summary>A new owner of the shard, as a process that has just started: the owner before is shut out.</summary>
    public async Task<TestLedger> NewOwnerAsync()
    {
        var epoch = await Database.WriteAsync(
            session => session.ScalarAsync<long>("UPDATE shards SET epoch = epoch + 1 WHERE shard = $1 RETURNING epoch", Shard),
            CancellationToken.None);
        var shards = new OwnedShards();
        shards.Add(Shard, epoch);
        return new TestLedger(Database, shards);
    }

    public async Task<string> RowsAsync()
    {
        await using var session = await Database.OpenReadAsync(CancellationToken.None);
        await using var rows = await session.QueryAsync("SELECT claims, settled_at IS NOT NULL, run_id, node_id FROM activities ORDER BY created_at, identity");
        var lines = new List<string>();
        while (await rows.ReadAsync())
        {
            Assert.Equal((RunId, "node-1"), (rows.GetString(2), rows.GetString(3)));
            lines.Add($"claims={rows.GetInt64(0)} settled={(Convert.ToBoolean(rows.GetValue(1), null) ? 1 : 0)}");
        }

        return string.Join("; ", lines);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        folder.Dispose();
    }
}

/// <summary>The ledger of one owner of the shard.</summary>
internal sealed class TestLedger(Database database, OwnedShards shards) : IAsyncDisposable
{
    private readonly ActivityStore store = new(database, TimeProvider.System, NullLogger<ActivityStore>.Instance);

    public ActivityLedger Ledger => field ??= new ActivityLedger(store, shards);

    public IActivityLedger For(NodeHarness node) => Ledger.For(node.NewContext(null));

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
