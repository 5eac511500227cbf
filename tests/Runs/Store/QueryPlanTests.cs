using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Store;

/// <summary>What a run costs does not depend on how many there have been.</summary>
public sealed class QueryPlanTests
{
    /// <summary>Rows per shard, instance or key, not per run.</summary>
    private static readonly string[] Small = ["shards", "instances", "interrupt_keys", "shard_positions"];

    [Fact]
    public async Task On_SQLite_no_statement_reads_a_whole_table()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("runs.db"), "runs"));
        await Migrations.ApplyAsync(database, typeof(RunsHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnSqliteAsync(folder.File("runs.db"), QueryPlans.StatementsOf(typeof(RunsHosting).Assembly), Small));
    }

    [Fact]
    public async Task On_PostgreSql_every_statement_has_an_index()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "runs"));
        await Migrations.ApplyAsync(database, typeof(RunsHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnPostgreSqlAsync(server.ConnectionString, "runs", QueryPlans.StatementsOf(typeof(RunsHosting).Assembly), Small));
    }

    [Fact]
    public void The_statements_are_found() => Assert.True(QueryPlans.StatementsOf(typeof(RunsHosting).Assembly).Count >= 20);

    [Fact]
    public async Task A_statement_without_an_index_is_noticed()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("runs.db"), "runs"));
        await Migrations.ApplyAsync(database, typeof(RunsHosting).Assembly, CancellationToken.None);
        Assert.Single(await QueryPlans.ScansOnSqliteAsync(folder.File("runs.db"), [("bad", "SELECT run_id FROM runs WHERE workflow_id = $1")]));
    }
}
