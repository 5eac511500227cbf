using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Webhooks.Tests;

/// <summary>What a call costs does not depend on how much is stored.</summary>
public sealed class QueryPlanTests
{
    /// <summary>Tables that stay small.</summary>
    private static readonly string[] Small = ["cursors", "revisions", "shards", "instances"];

    private static readonly (string Name, string Sql)[] Statements = [.. QueryPlans.StatementsOf(typeof(WebhooksHosting).Assembly)];

    [Fact]
    public async Task On_SQLite_no_statement_reads_a_whole_table()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("webhooks.db"), "webhooks"));
        await Migrations.ApplyAsync(database, typeof(WebhooksHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnSqliteAsync(folder.File("webhooks.db"), Statements, Small));
    }

    [Fact]
    public async Task On_PostgreSql_every_statement_has_an_index()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "webhooks"));
        await Migrations.ApplyAsync(database, typeof(WebhooksHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnPostgreSqlAsync(server.ConnectionString, "webhooks", Statements, Small));
    }
}
