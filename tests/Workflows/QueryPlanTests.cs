using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Workflows.Tests;

/// <summary>What a call costs does not depend on how much is stored.</summary>
public sealed class QueryPlanTests
{
    /// <summary>Tables that stay small.</summary>
    private static readonly string[] Small = ["signing_keys"];

    [Fact]
    public async Task On_SQLite_no_statement_reads_a_whole_table()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("workflows.db"), "workflows"));
        await Migrations.ApplyAsync(database, typeof(WorkflowsHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnSqliteAsync(folder.File("workflows.db"), QueryPlans.StatementsOf(typeof(WorkflowsHosting).Assembly), Small));
    }

    [Fact]
    public async Task On_PostgreSql_every_statement_has_an_index()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "workflows"));
        await Migrations.ApplyAsync(database, typeof(WorkflowsHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnPostgreSqlAsync(server.ConnectionString, "workflows", QueryPlans.StatementsOf(typeof(WorkflowsHosting).Assembly), Small));
    }
}
