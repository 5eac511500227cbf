using Microsoft.Extensions.Configuration;

namespace OpenWop.Micro.Storage;

/// <summary>Where one service keeps its data.</summary>
public sealed record DatabaseOptions
{
    public required SqlDialect Dialect { get; init; }

    /// <summary>SQLite: the path of the file, whose folder is created when absent. PostgreSQL: an Npgsql connection string.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>PostgreSQL: the schema that holds the service's tables. SQLite: only a name for logs and metrics.</summary>
    public required string Schema { get; init; }

    /// <summary>
    /// SQLite: refuse to share the file with another process, by a lock file that the operating system releases when the
    /// process dies. What an embedded host wants, because then every lease found in the file is a dead one.
    /// </summary>
    public bool Exclusive { get; init; }

    /// <summary>Most connections that read at the same time; further readers wait.</summary>
    public int MaxReaders { get; init; } = 32;

    /// <summary>An SQLite file.</summary>
    public static DatabaseOptions Sqlite(string path, string schema = "main") =>
        new() { Dialect = SqlDialect.Sqlite, ConnectionString = path, Schema = schema };

    /// <summary>A schema of a PostgreSQL database.</summary>
    public static DatabaseOptions PostgreSql(string connectionString, string schema) =>
        new() { Dialect = SqlDialect.PostgreSql, ConnectionString = connectionString, Schema = schema };

    /// <summary>
    /// The database of a service as the installation configures it: <c>OPENWOP_POSTGRES</c> (a connection string; each service
    /// gets the schema of its name), or else a file <c>{service}.db</c> in <c>OPENWOP_DATA_DIR</c> (default <c>data</c>), used
    /// by one process only.
    /// </summary>
    public static DatabaseOptions FromConfiguration(IConfiguration configuration, string service)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentException.ThrowIfNullOrEmpty(service);
        if (configuration["OPENWOP_POSTGRES"] is { Length: > 0 } connectionString)
            return PostgreSql(connectionString, service);

        var folder = configuration["OPENWOP_DATA_DIR"] is { Length: > 0 } configured ? configured : "data";
        return Sqlite(Path.Combine(folder, service + ".db"), service) with { Exclusive = true };
    }
}
