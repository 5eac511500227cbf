using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests;

/// <summary>What a call costs does not depend on how much is stored.</summary>
public sealed class QueryPlanTests
{
    /// <summary>Tables that stay small.</summary>
    private static readonly string[] Small = ["signing_keys"];

    /// <summary>All but one that clears up now and then, and has to look at every tenant: it reads an index of one day.</summary>
    private static readonly (string Name, string Sql)[] Statements =
        [.. QueryPlans.StatementsOf(typeof(IdentityHosting).Assembly).Where(statement => statement.Name != "RequestRecordQueries.Crowded")];

    [Fact]
    public async Task On_SQLite_no_statement_reads_a_whole_table()
    {
        using var folder = new TempFolder();
        await using var database = Database.Create(DatabaseOptions.Sqlite(folder.File("identity.db"), "identity"));
        await Migrations.ApplyAsync(database, typeof(IdentityHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnSqliteAsync(folder.File("identity.db"), Statements, Small));
    }

    [Fact]
    public async Task On_PostgreSql_every_statement_has_an_index()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var database = Database.Create(DatabaseOptions.PostgreSql(server.ConnectionString, "identity"));
        await Migrations.ApplyAsync(database, typeof(IdentityHosting).Assembly, CancellationToken.None);
        Assert.Empty(await QueryPlans.ScansOnPostgreSqlAsync(server.ConnectionString, "identity", Statements, Small));
    }
}
