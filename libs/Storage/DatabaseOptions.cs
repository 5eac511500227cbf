using Microsoft.Extensions.Configuration;

namespace OpenWop.Micro.Storage;

/// <summary>Where one service keeps its data.</summary>
public sealed record DatabaseOptions
{
    /// <summary>Setting: an Npgsql connection string. Absent = SQLite files.</summary>
    public const string PostgresSetting = "OPENWOP_POSTGRES";

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
    /// The database of a service as the installation configures it: with <see cref="PostgresSetting"/> the schema of the service's
    /// name, else a file of its name, used by one process only.
    /// </summary>
    /// <param name="dataDirectory">Directory of the installation's files.</param>
    public static DatabaseOptions ForService(string service, IConfiguration configuration, string dataDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration[PostgresSetting] is { Length: > 0 } connectionString
            ? PostgreSql(connectionString, service)
            : Sqlite(Path.Combine(dataDirectory, service + ".db"), service) with { Exclusive = true };
    }
}
