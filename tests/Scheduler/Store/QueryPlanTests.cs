using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Scheduler.Tests.Store;

/// <summary>What a slot costs does not depend on how many schedules there are, nor on how long their history is.</summary>
public sealed class QueryPlanTests
{
    /// <summary>A row per part or instance, not per schedule.</summary>
    private static readonly string[] Small = ["shards", "instances"];

    [Fact]
    public async Task On_SQLite_no_statement_reads_a_whole_table()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("scheduler.db"), "scheduler"));
        await Migrations.ApplyAsync(database, typeof(SchedulerHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnSqliteAsync(folder.File("scheduler.db"), QueryPlans.StatementsOf(typeof(SchedulerHosting).Assembly), Small));
    }

    [Fact]
    public async Task On_PostgreSql_every_statement_has_an_index()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "scheduler"));
        await Migrations.ApplyAsync(database, typeof(SchedulerHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnPostgreSqlAsync(
            server.ConnectionString, "scheduler", QueryPlans.StatementsOf(typeof(SchedulerHosting).Assembly), Small));
    }

    [Fact]
    public void The_statements_are_found() => Assert.True(QueryPlans.StatementsOf(typeof(SchedulerHosting).Assembly).Count >= 20);
}
