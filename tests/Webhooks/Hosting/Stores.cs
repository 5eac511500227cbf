using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Webhooks.Tests.Hosting;

/// <summary>Where the service keeps its data: the same tests run on each.</summary>
public abstract class Stores : IAsyncLifetime
{
    /// <summary>Settings of a host on a database of its own.</summary>
    public abstract string[] Settings { get; }

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();
}

public sealed class OnSqlite : Stores
{
    public override string[] Settings => [];

    public override Task InitializeAsync() => Task.CompletedTask;

    public override Task DisposeAsync() => Task.CompletedTask;
}

public sealed class OnPostgreSql : Stores
{
    private PostgreSqlServer _server = null!;
    private int _databases;

    public override string[] Settings => [$"OPENWOP_POSTGRES={CreateDatabase()}"];

    public override async Task InitializeAsync() => _server = await PostgreSqlServer.StartAsync();

    public override async Task DisposeAsync() => await _server.DisposeAsync();

    private string CreateDatabase()
    {
        var name = $"d{Interlocked.Increment(ref _databases)}";
        using var connection = new Npgsql.NpgsqlConnection(_server.ConnectionString);
        connection.Open();
        using var create = new Npgsql.NpgsqlCommand($"CREATE DATABASE {name}", connection);
        create.ExecuteNonQuery();
        return _server.ConnectionString.Replace("Database=postgres", $"Database={name}", StringComparison.Ordinal);
    }
}
