using Npgsql;
using Xunit;

namespace OpenWop.Micro.Testing;

/// <summary>Where services keep their data: the same tests run on each. A fixture of a test class.</summary>
public abstract class Stores : IAsyncLifetime
{
    /// <summary>Settings of a host on a database of its own; each look makes another one.</summary>
    public abstract string[] Settings { get; }

    /// <inheritdoc/>
    public abstract Task InitializeAsync();

    /// <inheritdoc/>
    public abstract Task DisposeAsync();
}

/// <summary>Files in the folder of the host.</summary>
public sealed class OnSqlite : Stores
{
    /// <inheritdoc/>
    public override string[] Settings => [];

    /// <inheritdoc/>
    public override Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public override Task DisposeAsync() => Task.CompletedTask;
}

/// <summary>A server that all tests of the class share.</summary>
public sealed class OnPostgreSql : Stores
{
    private PostgreSqlServer _server = null!;
    private int _databases;

    /// <inheritdoc/>
    public override string[] Settings => [$"OPENWOP_POSTGRES={CreateDatabase()}"];

    /// <inheritdoc/>
    public override async Task InitializeAsync() => _server = await PostgreSqlServer.StartAsync();

    /// <inheritdoc/>
    public override async Task DisposeAsync() => await _server.DisposeAsync();

    private string CreateDatabase()
    {
        var name = $"d{Interlocked.Increment(ref _databases)}";
        using var connection = new NpgsqlConnection(_server.ConnectionString);
        connection.Open();
        using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        create.ExecuteNonQuery();
        return _server.ConnectionString.Replace("Database=postgres", $"Database={name}", StringComparison.Ordinal);
    }
}
