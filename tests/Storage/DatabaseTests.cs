using Microsoft.Extensions.Configuration;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

[Collection(WithDatabases.Name)]
public sealed class DatabaseTests(TestDatabases databases)
{
    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task Values_come_back_as_they_went_in(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);
        ReadOnlyMemory<byte> part = new byte[] { 9, 1, 2, 3, 9 }.AsMemory(1, 3);
        await database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO rows (id, value, data) VALUES ($1, $2, $3)", 1L, "ä\u0001€", part);
                session.Enqueue("INSERT INTO rows (id, value, data) VALUES ($1, $2, $3)", 2L, "", null);
            },
            CancellationToken.None);

        await using var session = await database.OpenReadAsync(CancellationToken.None);
        await using (var reader = await session.QueryAsync("SELECT value, data FROM rows WHERE id = $1", 1L))
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal("ä\u0001€", reader.GetString(0));
            Assert.Equal([1, 2, 3], reader.GetFieldValue<byte[]>(1));
        }

        Assert.Null(await session.ScalarAsync<byte[]>("SELECT data FROM rows WHERE id = 2"));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_failed_transaction_leaves_nothing_and_the_next_one_works(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);

        await Assert.ThrowsAsync<InvalidDataException>(() => database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, 'lost')");
                throw new InvalidDataException();
            },
            CancellationToken.None));
        await database.WriteAsync(session => session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, 'kept')"), CancellationToken.None);

        await using var session = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal("kept", await session.ScalarAsync<string>("SELECT value FROM rows WHERE id = 1"));
    }

    [Theory]
    [InlineData(SqlDialect.Sqlite)]
    [InlineData(SqlDialect.PostgreSql)]
    public async Task A_queued_statement_that_fails_fails_the_transaction(SqlDialect dialect)
    {
        await using var database = await databases.MigratedAsync(dialect);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => database.WriteAsync(
            session =>
            {
                session.Enqueue("INSERT INTO rows (id, value) VALUES (1, 'a')");
                session.Enqueue("INSERT INTO rows (id, value) VALUES (1, 'b')");
                return Task.CompletedTask;
            },
            CancellationToken.None));

        Assert.True(DatabaseErrors.IsUniqueViolation(failure));
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal(0, await session.ScalarAsync<long>("SELECT count(*) FROM rows"));
    }

    [Fact]
    public async Task Readers_do_not_wait_for_the_writer()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var inside = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var write = database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, 'a')");
                inside.SetResult();
                await gate.Task;
            },
            CancellationToken.None);
        await inside.Task.WaitAsync(Eventually.Limit);

        await using (var session = await database.OpenReadAsync(CancellationToken.None))
            Assert.Equal(0, await session.ScalarAsync<long>("SELECT count(*) FROM rows"));

        gate.SetResult();
        await write;
        await database.ProbeAsync(CancellationToken.None);
    }

    [Fact]
    public void A_service_keeps_its_data_in_a_file_of_its_own_or_in_a_schema_of_its_own()
    {
        var embedded = DatabaseOptions.ForService("runs", Settings([]), "/data");
        var shared = DatabaseOptions.ForService("runs", Settings(new() { ["OPENWOP_POSTGRES"] = "Host=db" }), "/data");

        Assert.Equal((SqlDialect.Sqlite, "/data/runs.db", true), (embedded.Dialect, embedded.ConnectionString, embedded.Exclusive));
        Assert.Equal((SqlDialect.PostgreSql, "Host=db", "runs"), (shared.Dialect, shared.ConnectionString, shared.Schema));

        static IConfiguration Settings(Dictionary<string, string?> values) => new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }

    [Fact]
    public async Task A_reader_cannot_write()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        await using var session = await database.OpenReadAsync(CancellationToken.None);

        await Assert.ThrowsAnyAsync<Exception>(() => session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, 'a')"));
    }

    [Fact]
    public async Task Readers_are_limited_and_given_back()
    {
        await using var database = Database.Create(await databases.NewAsync(SqlDialect.Sqlite) with { MaxReaders = 1 });
        var first = await database.OpenReadAsync(CancellationToken.None);
        var second = database.OpenReadAsync(CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);

        await first.DisposeAsync();
        await first.DisposeAsync();

        await (await second.WaitAsync(Eventually.Limit)).DisposeAsync();
    }

    [Fact]
    public async Task An_exclusive_file_refuses_a_second_owner_until_the_first_is_gone()
    {
        var options = await databases.NewAsync(SqlDialect.Sqlite) with { Exclusive = true };
        var first = Database.Create(options);

        var refusal = Assert.Throws<DatabaseInUseException>(() => Database.Create(options));

        Assert.Contains(options.ConnectionString, refusal.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        await using var second = Database.Create(options);
        await second.ProbeAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_cancelled_write_that_has_not_begun_does_nothing()
    {
        await using var database = await databases.MigratedAsync(SqlDialect.Sqlite);
        var gate = new TaskCompletionSource();
        var first = database.WriteAsync(_ => gate.Task, CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var second = database.WriteAsync(session => session.ExecuteAsync("INSERT INTO rows (id, value) VALUES (1, 'a')"), cancellation.Token);

        await cancellation.CancelAsync();
        gate.SetResult();

        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        Assert.Equal(0, await session.ScalarAsync<long>("SELECT count(*) FROM rows"));
    }
}
