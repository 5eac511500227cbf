using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace OpenWop.Micro.Storage.Sqlite;

/// <summary>
/// The only writer of an SQLite file in this process: a thread of its own with a connection of its own, running one
/// transaction after the other. A commit waits for the disk (synchronous=FULL), so no thread of the pool may run it.
/// </summary>
internal sealed partial class SqliteWriter : IDisposable
{
    private readonly Func<SqliteConnection> _open;
    private readonly ILogger _logger;
    private readonly BlockingCollection<Work> _queue = [];
    private readonly Thread _thread;
    private SqliteStatements? _statements;

    public SqliteWriter(Func<SqliteConnection> open, string name, ILogger logger)
    {
        _open = open;
        _logger = logger;
        _statements = new SqliteStatements(open());
        _thread = new Thread(Run) { IsBackground = true, Name = "sqlite-writer " + name };
        _thread.Start();
    }

    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);

        var item = new Work<T>(work, cancellationToken);
        try
        {
            _queue.Add(item, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            return Task.FromException<T>(new ObjectDisposedException(nameof(Database)));
        }

        return item.Task;
    }

    /// <summary>Runs what is queued, then closes the connection.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _statements?.Dispose();
        _queue.Dispose();
    }

    private void Run()
    {
        foreach (var work in _queue.GetConsumingEnumerable())
        {
            if (work.CancelIfRequested())
                continue;

            try
            {
                _statements ??= new SqliteStatements(_open());
                _statements.Execute("BEGIN IMMEDIATE");
                work.Run(new WriteSession(_statements, CancellationToken.None));
                _statements.Execute("COMMIT");
            }
            catch (Exception exception)
            {
                RollBack();
                work.Fail(exception);
                continue;
            }

            work.Complete();
        }
    }

    private void RollBack()
    {
        try
        {
            // Some errors (full disk, failed I/O) have rolled the transaction back already.
            if (_statements is { Connection: SqliteConnection { Handle: { } handle } } && raw.sqlite3_get_autocommit(handle) == 0)
                _statements.Execute("ROLLBACK");
        }
        catch (SqliteException exception)
        {
            // Closing the connection rolls back whatever is left; the next transaction opens another one.
            Log.RollbackFailed(_logger, exception);
            _statements?.Dispose();
            _statements = null;
        }
    }

    private abstract class Work
    {
        public abstract bool CancelIfRequested();

        public abstract void Run(WriteSession session);

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class Work<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) : Work
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Task => _completion.Task;

        public override bool CancelIfRequested() =>
            cancellationToken.IsCancellationRequested && _completion.TrySetCanceled(cancellationToken);

        // Statements on SQLite complete synchronously, so there is nothing to wait for; and this thread may block, it has no other work.
        public override void Run(WriteSession session) => _result = work(session).GetAwaiter().GetResult();

        public override void Complete() => _completion.TrySetResult(_result);

        public override void Fail(Exception exception) => _completion.TrySetException(exception);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "Rolling back failed; the writer opens a new connection.")]
        public static partial void RollbackFailed(ILogger logger, Exception exception);
    }
}
