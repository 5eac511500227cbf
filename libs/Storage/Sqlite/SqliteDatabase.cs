using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Storage.Sqlite;

/// <summary>
/// An SQLite file in WAL mode: one writer thread (<see cref="SqliteWriter"/>) and a pool of readers that never wait for it.
/// Reads run on the caller's thread: they come from the page cache and take microseconds.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    private readonly string path;
    private readonly FileStream? processLock;
    private readonly SqliteWriter writer;
    private readonly SemaphoreSlim readers;
    private readonly ConcurrentBag<SqliteStatements> idle = [];
    private volatile bool disposed;

    public SqliteDatabase(DatabaseOptions options, ILogger logger)
        : base(options)
    {
        path = Path.GetFullPath(options.ConnectionString);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        processLock = options.Exclusive ? LockProcess(path) : null;
        readers = new SemaphoreSlim(options.MaxReaders);
        try
        {
            writer = new SqliteWriter(() => Open(readOnly: false), Path.GetFileName(path), logger);
        }
        catch
        {
            processLock?.Dispose();
            throw;
        }
    }

    public override async ValueTask<ReadSession> OpenReadAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        await readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!idle.TryTake(out var statements))
                statements = new SqliteStatements(Open(readOnly: true));

            return new ReadSession(statements, GiveBack, cancellationToken);
        }
        catch
        {
            readers.Release();
            throw;
        }
    }

    public override Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        return writer.WriteAsync(work, cancellationToken);
    }

    private protected override async ValueTask DisposeCoreAsync()
    {
        if (disposed)
            return;

        disposed = true;

        // Readers first: the last connection to close, the writer's, then checkpoints the WAL into the file.
        while (idle.TryTake(out var statements))
            statements.Dispose();

        await Task.Run(writer.Dispose).ConfigureAwait(false);
        if (processLock is not null)
            await processLock.DisposeAsync().ConfigureAwait(false);
    }

    private void GiveBack(Statements statements)
    {
        var reader = (SqliteStatements)statements;
        idle.Add(reader);
        readers.Release();

        // Disposed meanwhile: nobody takes it any more.
        if (disposed && idle.TryTake(out var left))
            left.Dispose();
    }

    private SqliteConnection Open(bool readOnly)
    {
        // Pooling is ours: the provider's own pool would throw the prepared statements away.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            using var pragmas = connection.CreateCommand();
            pragmas.CommandText = $"""
                PRAGMA busy_timeout = 5000;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA foreign_keys = ON;
                PRAGMA temp_store = MEMORY;
                PRAGMA cache_size = -16384;
                PRAGMA journal_size_limit = 67108864;
                PRAGMA query_only = {(readOnly ? "ON" : "OFF")};
                """;
            pragmas.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static FileStream LockProcess(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new DatabaseInUseException(path, exception);
        }
    }
}
