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
    private readonly Func<SqliteConnection> open;
    private readonly ILogger logger;
    private readonly BlockingCollection<Work> queue = [];
    private readonly Thread thread;
    private SqliteStatements? statements;

    public SqliteWriter(Func<SqliteConnection> open, string name, ILogger logger)
    {
        this.open = open;
        this.logger = logger;
        statements = new SqliteStatements(open());
        thread = new Thread(Run) { IsBackground = true, Name = "sqlite-writer " + name };
        thread.Start();
    }

    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);

        var item = new Work<T>(work, cancellationToken);
        try
        {
            queue.Add(item, CancellationToken.None);
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
        queue.CompleteAdding();
        thread.Join();
        statements?.Dispose();
        queue.Dispose();
    }

    private void Run()
    {
        foreach (var work in queue.GetConsumingEnumerable())
        {
            if (work.CancelIfRequested())
                continue;

            try
            {
                statements ??= new SqliteStatements(open());
                statements.Execute("BEGIN IMMEDIATE");
                work.Run(new WriteSession(statements, CancellationToken.None));
                statements.Execute("COMMIT");
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
            if (statements is { Connection: SqliteConnection { Handle: { } handle } } && raw.sqlite3_get_autocommit(handle) == 0)
                statements.Execute("ROLLBACK");
        }
        catch (SqliteException exception)
        {
            // Closing the connection rolls back whatever is left; the next transaction opens another one.
            Log.RollbackFailed(logger, exception);
            statements?.Dispose();
            statements = null;
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
        private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T result = default!;

        public Task<T> Task => completion.Task;

        public override bool CancelIfRequested() =>
            cancellationToken.IsCancellationRequested && completion.TrySetCanceled(cancellationToken);

        // Statements on SQLite complete synchronously, so there is nothing to wait for; and this thread may block, it has no other work.
        public override void Run(WriteSession session) => result = work(session).GetAwaiter().GetResult();

        public override void Complete() => completion.TrySetResult(result);

        public override void Fail(Exception exception) => completion.TrySetException(exception);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "Rolling back failed; the writer opens a new connection.")]
        public static partial void RollbackFailed(ILogger logger, Exception exception);
    }
}
