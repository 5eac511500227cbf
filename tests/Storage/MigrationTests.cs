using System.Reflection;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

[Collection(WithDatabases.Name)]
public sealed class MigrationTests(TestDatabases databases)
{
    private static readonly Migration One = new(1, "0001_one", "CREATE TABLE one (id INTEGER PRIMARY KEY);");
    private static readonly Migration Two = new(2, "0002_two", "CREATE TABLE two (id INTEGER PRIMARY KEY); INSERT INTO one (id) VALUES (7);");
    private static readonly Migration Bad = new(3, "0003_bad", "CREATE TABLE three (id INTEGER PRIMARY KEY); SELECT * FROM nowhere;");

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task Several_instances_that_start_at_once_apply_each_migration_once(SqlDialect dialect)
    {
        var options = await databases.NewAsync(dialect);
        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var database = Database.Create(options);
            return await Migrations.ApplyAsync(database, Assembly.GetExecutingAssembly(), CancellationToken.None);
        })));

        Assert.Equal(["0001_rows", "0002_shards"], applied.SelectMany(names => names).Order());
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task Only_the_missing_ones_are_applied(SqlDialect dialect)
    {
        await using var database = Database.Create(await databases.NewAsync(dialect));

        Assert.Equal(["0001_one"], await Migrations.ApplyAsync(database, [One], CancellationToken.None));
        Assert.Equal(["0002_two"], await Migrations.ApplyAsync(database, [One, Two], CancellationToken.None));
        Assert.Empty(await Migrations.ApplyAsync(database, [One, Two], CancellationToken.None));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_failing_migration_leaves_the_database_as_it_was(SqlDialect dialect)
    {
        await using var database = Database.Create(await databases.NewAsync(dialect));
        await Migrations.ApplyAsync(database, [One], CancellationToken.None);

        await Assert.ThrowsAnyAsync<Exception>(() => Migrations.ApplyAsync(database, [One, Two, Bad], CancellationToken.None));

        Assert.Equal(["0002_two"], await Migrations.ApplyAsync(database, [One, Two], CancellationToken.None));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_database_newer_than_the_program_is_refused(SqlDialect dialect)
    {
        await using var database = Database.Create(await databases.NewAsync(dialect));
        await Migrations.ApplyAsync(database, [One, Two], CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<MigrationException>(() => Migrations.ApplyAsync(database, [One], CancellationToken.None));

        Assert.Contains("version 2 (0002_two)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_released_migration_that_was_changed_is_refused()
    {
        await using var database = Database.Create(await databases.NewAsync(SqlDialect.Sqlite));
        await Migrations.ApplyAsync(database, [One], CancellationToken.None);

        await Assert.ThrowsAsync<MigrationException>(
            () => Migrations.ApplyAsync(database, [One with { Sql = One.Sql + " -- changed" }], CancellationToken.None));
    }

    [Fact]
    public void Line_ends_do_not_change_a_checksum() =>
        Assert.Equal(new Migration(1, "a", "x\r\ny\r\n").Checksum, new Migration(1, "a", "x\ny").Checksum);
}
