using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OpenWop.Micro.Storage.PostgreSql;
using OpenWop.Micro.Storage.Sqlite;

namespace OpenWop.Micro.Storage;

/// <summary>
/// The database of one service: pooled readers and write transactions. Create one per service and process, dispose it last.
/// </summary>
/// <remarks>
/// What a transaction guarantees differs by dialect, so code that writes must hold under the weaker of the two:
/// SQLite runs write transactions strictly one after the other; PostgreSQL runs them side by side (read committed) and on
/// several instances. Correctness therefore rests on constraints, <c>ON CONFLICT</c> and row locks, never on being alone.
/// SQL uses positional parameters <c>$1, $2, …</c>, which both engines understand.
/// </remarks>
public abstract class Database : IAsyncDisposable
{
    private protected Database(DatabaseOptions options) => Options = options;

    /// <summary>What the database was created from.</summary>
    public DatabaseOptions Options { get; }

    /// <summary>The engine, for the few statements that differ.</summary>
    public SqlDialect Dialect => Options.Dialect;

    /// <summary>Opens the database; SQLite creates the file when absent, PostgreSQL connects on first use.</summary>
    /// <exception cref="DatabaseInUseException">Another process holds an exclusive file.</exception>
    public static Database Create(DatabaseOptions options, ILoggerFactory? loggers = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var factory = loggers ?? NullLoggerFactory.Instance;
        return options.Dialect switch
        {
            SqlDialect.Sqlite => new SqliteDatabase(options, factory.CreateLogger<Database>()),
            SqlDialect.PostgreSql => new PostgreSqlDatabase(options, factory),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Dialect, "Unknown dialect."),
        };
    }

    /// <summary>
    /// A pooled connection for reading, given back by disposing the session. Do not hold it while waiting for anything but
    /// the database, and do not open a second one while holding it: readers are limited (<see cref="DatabaseOptions.MaxReaders"/>).
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for a connection and every statement of the session.</param>
    public abstract ValueTask<ReadSession> OpenReadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Runs <paramref name="work"/> in one write transaction, commits, and returns its result once the commit is durable.
    /// An exception of the work rolls everything back and comes out here.
    /// </summary>
    /// <param name="work">Changes nothing but the session: when it loses to other transactions (<see cref="DatabaseErrors.IsConflict"/>) it
    /// is rolled back and runs again, a few times. On SQLite it runs on the writer's own thread and keeps all other writers waiting: no waiting for anything but the session, and no other write inside it.</param>
    /// <param name="cancellationToken">Gives up before the transaction has begun; after that SQLite finishes it, PostgreSQL stops at the next statement and rolls back.</param>
    /// <exception cref="CommitOutcomeUnknownException">The connection broke during the commit: it may or may not have happened.</exception>
    public abstract Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken);

    /// <inheritdoc cref="WriteAsync{T}(Func{WriteSession, Task{T}}, CancellationToken)"/>
    public Task WriteAsync(Func<WriteSession, Task> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        return WriteAsync(
            async session =>
            {
                await work(session).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <summary>Throws when the database cannot answer; for health checks.</summary>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        await using var session = await OpenReadAsync(cancellationToken).ConfigureAwait(false);
        await session.ScalarAsync<long>("SELECT 1").ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DisposeCoreAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private protected abstract ValueTask DisposeCoreAsync();
}
