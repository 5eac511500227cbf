using System.Globalization;
using System.Reflection;

namespace OpenWop.Micro.Storage;

/// <summary>
/// Brings a database to the schema that the binary expects. A migration is an SQL file embedded in the owning service's assembly,
/// <c>Migrations/Sqlite/0001_name.sql</c> and its twin <c>Migrations/PostgreSql/0001_name.sql</c>
/// (<c>&lt;EmbeddedResource Include="Migrations/**/*.sql" /&gt;</c>). Numbers start at 1 and have no gaps; a file that has
/// been released never changes, a mistake in it is repaired by the next one.
/// </summary>
public static class Migrations
{
    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    INTEGER PRIMARY KEY,
            name       TEXT    NOT NULL,
            checksum   TEXT    NOT NULL,
            applied_at BIGINT  NOT NULL
        )
        """;

    /// <summary>
    /// Applies what is missing, all of it or nothing, in one transaction. Several instances may start at once: one works, the
    /// others wait for it and find nothing to do.
    /// </summary>
    /// <param name="database">The service's database.</param>
    /// <param name="assembly">The assembly that embeds the files.</param>
    /// <returns>The names of the migrations that this call applied.</returns>
    /// <exception cref="MigrationException">The database is newer than the binary, or a migration differs from the one that was applied.</exception>
    public static Task<IReadOnlyList<string>> ApplyAsync(
        Database database, Assembly assembly, CancellationToken cancellationToken, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(assembly);
        return ApplyAsync(database, Migration.Load(assembly, database.Dialect), cancellationToken, time);
    }

    internal static Task<IReadOnlyList<string>> ApplyAsync(
        Database database, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken, TimeProvider? time = null)
    {
        var now = (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds();
        return database.WriteAsync(
            async session =>
            {
                // 1. Be alone. SQLite: the write transaction itself. PostgreSQL: a lock per schema that ends with the transaction.
                if (session.Dialect == SqlDialect.PostgreSql)
                {
                    var schema = database.Options.Schema;
                    await session.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "openwop-migrations " + schema)
                        .ConfigureAwait(false);

                    // Even IF NOT EXISTS asks for a right that a role of one schema does not have.
                    if (await session.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema).ConfigureAwait(false) == 0)
                        await session.ExecuteAsync($"CREATE SCHEMA {schema}").ConfigureAwait(false);
                }

                // 2. What is there must be what this binary would have made.
                await session.ExecuteAsync(CreateTable).ConfigureAwait(false);
                var applied = await ReadAppliedAsync(session).ConfigureAwait(false);
                Verify(applied, migrations);

                // 3. Apply the rest in order.
                var names = new List<string>();
                foreach (var migration in migrations.Skip(applied.Count))
                {
                    await session.ExecuteAsync(migration.Sql).ConfigureAwait(false);
                    await session.ExecuteAsync(
                        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                        migration.Version, migration.Name, migration.Checksum, now).ConfigureAwait(false);
                    names.Add(migration.Name);
                }

                return (IReadOnlyList<string>)names;
            },
            cancellationToken);
    }

    private static async Task<List<AppliedMigration>> ReadAppliedAsync(WriteSession session)
    {
        var applied = new List<AppliedMigration>();
        await using var reader = await session.QueryAsync("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
            .ConfigureAwait(false);
        while (await reader.ReadAsync(session.CancellationToken).ConfigureAwait(false))
            applied.Add(new AppliedMigration(reader.GetInt32(0), reader.GetString(1), reader.GetString(2)));

        return applied;
    }

    private static void Verify(List<AppliedMigration> applied, IReadOnlyList<Migration> known)
    {
        if (applied.Count > known.Count)
        {
            throw new MigrationException(string.Create(
                CultureInfo.InvariantCulture,
                $"The database is at schema version {applied[^1].Version} ({applied[^1].Name}), this program knows versions up to {known.Count}. Start a newer program, or restore a backup of the older database."));
        }

        for (var i = 0; i < applied.Count; i++)
        {
            if (applied[i].Version != known[i].Version || applied[i].Checksum != known[i].Checksum)
            {
                throw new MigrationException(
                    $"Migration {applied[i].Name} of the database differs from {known[i].Name} of this program: a released migration was changed, or the database belongs to another service.");
            }
        }
    }

    private sealed record AppliedMigration(int Version, string Name, string Checksum);
}

/// <summary>The database cannot be brought to the schema of this binary; the message says why and what to do.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1032:Implement standard exception constructors", Justification = "Always carries a message for the operator.")]
public sealed class MigrationException(string message) : Exception(message);
