using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OpenWop.Micro.Storage.PostgreSql;

/// <summary>
/// A schema of a PostgreSQL database. Readers and write transactions come from one Npgsql pool, each side with its own limit so
/// that a flood of reads cannot keep a heartbeat or an append waiting.
/// </summary>
internal sealed partial class PostgreSqlDatabase : Database
{
    private const int MaxWriters = 16;

    /// <summary>Attempts of a transaction that others got in the way of.</summary>
    private const int MaxAttempts = 5;

    private static readonly TimeSpan IdleInTransaction = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _dataSource;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _readers;
    private readonly SemaphoreSlim _writers = new(MaxWriters);

    public PostgreSqlDatabase(DatabaseOptions options, ILoggerFactory loggers)
        : base(options)
    {
        if (!SchemaName().IsMatch(options.Schema))
            throw new ArgumentException($"'{options.Schema}' is no schema name: lower-case letters, digits and '_'.", nameof(options));

        _logger = loggers.CreateLogger<Database>();
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString).UseLoggerFactory(loggers);
        var settings = builder.ConnectionStringBuilder;
        settings.SearchPath = options.Schema;
        settings.ApplicationName ??= "openwop-" + options.Schema;
        settings.MaxPoolSize = options.MaxReaders + MaxWriters;

        // Every statement of a service recurs: prepared from its second use on.
        settings.MaxAutoPrepare = 256;
        settings.AutoPrepareMinUsages = 2;

        // A process that freezes in a transaction would hold its locks, and keep its shards from being taken over, for as long as it is frozen.
        settings.Options = $"{settings.Options} -c idle_in_transaction_session_timeout={IdleInTransaction.TotalMilliseconds}".TrimStart();

        // Nothing here changes the state of a connection, so that resetting it would be a wasted message.
        settings.NoResetOnClose = true;
        _dataSource = builder.Build();
        _readers = new SemaphoreSlim(options.MaxReaders);
    }

    public override async ValueTask<ReadSession> OpenReadAsync(CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            return new ReadSession(new PostgreSqlStatements(connection), GiveBack, cancellationToken);
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    public override async Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await WriteOnceAsync(work, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (attempt < MaxAttempts && DatabaseErrors.IsConflict(exception))
            {
                // Rolled back as a whole. The others go first: they are about to commit, and the pauses differ.
                StorageMetrics.Conflicts.Add(1);
                Log.Conflict(_logger, Options.Schema, attempt, exception);
                await Task.Delay(Random.Shared.Next(5, 20 << attempt), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private protected override ValueTask DisposeCoreAsync() => _dataSource.DisposeAsync();

    private async Task<T> WriteOnceAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        await _writers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var connection = await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            var session = new WriteSession(new PostgreSqlStatements(connection), cancellationToken);
            var result = await work(session).ConfigureAwait(false);
            await session.FlushAsync().ConfigureAwait(false);
            await CommitAsync(transaction).ConfigureAwait(false);
            return result;
        }
        finally
        {
            _writers.Release();
        }
    }

    private static async Task CommitAsync(NpgsqlTransaction transaction)
    {
        try
        {
            // Not cancellable: a commit that was sent cannot be taken back.
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not PostgresException { InvariantSeverity: "ERROR" })
        {
            throw new CommitOutcomeUnknownException(exception);
        }
    }

    private void GiveBack(Statements statements)
    {
        // Returns to Npgsql's pool; waits for nothing.
        statements.Connection.Dispose();
        _readers.Release();
    }

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$", RegexOptions.CultureInvariant)]
    private static partial Regex SchemaName();

    private static partial class Log
    {
        [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "{Schema}: attempt {Attempt} of a transaction got in the way of others and is repeated.")]
        public static partial void Conflict(ILogger logger, string schema, int attempt, Exception exception);
    }
}
