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
    private readonly string _path;
    private readonly FileStream? _processLock;
    private readonly SqliteWriter _writer;
    private readonly SemaphoreSlim _readers;
    private readonly ConcurrentBag<SqliteStatements> _idle = [];
    private volatile bool _disposed;

    public SqliteDatabase(DatabaseOptions options, ILogger logger)
        : base(options)
    {
        _path = Path.GetFullPath(options.ConnectionString);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _processLock = options.Exclusive ? LockProcess(_path) : null;
        _readers = new SemaphoreSlim(options.MaxReaders);
        try
        {
            _writer = new SqliteWriter(() => Open(readOnly: false), Path.GetFileName(_path), logger);
        }
        catch
        {
            _processLock?.Dispose();
            throw;
        }
    }

    public override async ValueTask<ReadSession> OpenReadAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_idle.TryTake(out var statements))
                statements = new SqliteStatements(Open(readOnly: true));

            return new ReadSession(statements, GiveBack, cancellationToken);
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    public override Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _writer.WriteAsync(work, cancellationToken);
    }

    private protected override async ValueTask DisposeCoreAsync()
    {
        if (_disposed)
            return;

        _disposed = true;

        // Readers first: the last connection to close, the writer's, then checkpoints the WAL into the file.
        while (_idle.TryTake(out var statements))
            statements.Dispose();

        await Task.Run(_writer.Dispose).ConfigureAwait(false);
        if (_processLock is not null)
            await _processLock.DisposeAsync().ConfigureAwait(false);
    }

    private void GiveBack(Statements statements)
    {
        var reader = (SqliteStatements)statements;
        _idle.Add(reader);
        _readers.Release();

        // Disposed meanwhile: nobody takes it any more.
        if (_disposed && _idle.TryTake(out var left))
            left.Dispose();
    }

    private SqliteConnection Open(bool readOnly)
    {
        // Pooling is ours: the provider's own pool would throw the prepared statements away.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path, Pooling = false }.ToString());
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
