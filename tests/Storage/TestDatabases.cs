using System.Reflection;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Storage.Tests;

/// <summary>Empty databases of both engines; the PostgreSQL server starts with the first test that needs it and serves all.</summary>
public sealed class TestDatabases : IAsyncLifetime, IDisposable
{
    private readonly TempFolder folder = new();
    private readonly SemaphoreSlim starting = new(1);
    private PostgreSqlServer? server;
    private int count;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Where a new database can be; opening it is up to the test.</summary>
    public async Task<DatabaseOptions> NewAsync(SqlDialect dialect)
    {
        var name = "test_" + Interlocked.Increment(ref count);
        return dialect == SqlDialect.Sqlite
            ? DatabaseOptions.Sqlite(folder.File(name + ".db"), name)
            : DatabaseOptions.PostgreSql((await ServerAsync()).ConnectionString, name) with { MaxReaders = 8 };
    }

    /// <summary>A new database with the tables of this assembly's migrations.</summary>
    public async Task<Database> MigratedAsync(SqlDialect dialect)
    {
        var database = Database.Create(await NewAsync(dialect));
        await Migrations.ApplyAsync(database, Assembly.GetExecutingAssembly(), CancellationToken.None);
        return database;
    }

    public async Task DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
    }

    public void Dispose()
    {
        folder.Dispose();
        starting.Dispose();
    }

    public async Task<PostgreSqlServer> ServerAsync()
    {
        await starting.WaitAsync();
        try
        {
            return server ??= await PostgreSqlServer.StartAsync();
        }
        finally
        {
            starting.Release();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class WithDatabases : ICollectionFixture<TestDatabases>
{
    public const string Name = "databases";
}
