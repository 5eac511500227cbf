using System.Data.Common;

namespace OpenWop.Micro.Storage;

/// <summary>
/// A connection in use and the statements on it. Statements are prepared once per connection and SQL text, so keep SQL in
/// constants and values in parameters (<c>$1, $2, …</c>). One statement at a time: dispose a reader before the next statement.
/// </summary>
/// <remarks>
/// Values: string, long, int, double, bool, <c>byte[]</c>, <c>ReadOnlyMemory&lt;byte&gt;</c>, null; on PostgreSQL arrays as
/// well. Points in time are stored as Unix milliseconds.
/// </remarks>
public abstract class Session
{
    private protected Session(Statements statements, CancellationToken cancellationToken)
    {
        Statements = statements;
        CancellationToken = cancellationToken;
    }

    /// <summary>The engine, for the few statements that differ.</summary>
    public SqlDialect Dialect => Statements.Dialect;

    /// <summary>The connection itself, for what the session does not offer.</summary>
    public DbConnection Connection => Statements.Connection;

    /// <summary>Ends the session's statements.</summary>
    public CancellationToken CancellationToken { get; }

    private protected Statements Statements { get; }

    /// <summary>Runs a statement and returns the number of rows it changed.</summary>
    public Task<int> ExecuteAsync(string sql, params ReadOnlySpan<object?> values)
    {
        var command = Statements.Command(sql, values);
        return BeforeStatement() is { } pending ? After(pending) : command.ExecuteNonQueryAsync(CancellationToken);

        async Task<int> After(Task pending)
        {
            await pending.ConfigureAwait(false);
            return await command.ExecuteNonQueryAsync(CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a query; dispose the reader before the next statement.</summary>
    public Task<DbDataReader> QueryAsync(string sql, params ReadOnlySpan<object?> values)
    {
        var command = Statements.Command(sql, values);
        return BeforeStatement() is { } pending ? After(pending) : command.ExecuteReaderAsync(CancellationToken);

        async Task<DbDataReader> After(Task pending)
        {
            await pending.ConfigureAwait(false);
            return await command.ExecuteReaderAsync(CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The first column of the first row, or default when there is no row or it is null.</summary>
    public Task<T?> ScalarAsync<T>(string sql, params ReadOnlySpan<object?> values)
    {
        return First(QueryAsync(sql, values), CancellationToken);

        static async Task<T?> First(Task<DbDataReader> query, CancellationToken cancellationToken)
        {
            await using var reader = await query.ConfigureAwait(false);
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) && !reader.IsDBNull(0)
                ? reader.GetFieldValue<T>(0)
                : default;
        }
    }

    /// <summary>Sends what is queued, or null when nothing is.</summary>
    private protected virtual Task? BeforeStatement() => null;
}

/// <summary>A pooled connection for reading; disposing gives it back.</summary>
public sealed class ReadSession : Session, IAsyncDisposable
{
    private Action<Statements>? _giveBack;

    internal ReadSession(Statements statements, Action<Statements> giveBack, CancellationToken cancellationToken)
        : base(statements, cancellationToken) => _giveBack = giveBack;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _giveBack, null)?.Invoke(Statements);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The open write transaction of <see cref="Database.WriteAsync{T}"/>; valid only inside its delegate.</summary>
public sealed class WriteSession : Session
{
    internal WriteSession(Statements statements, CancellationToken cancellationToken)
        : base(statements, cancellationToken)
    {
    }

    /// <summary>
    /// Runs a statement whose row count nobody needs. PostgreSQL collects these and sends them together, one round trip for
    /// hundreds of inserts: before the next statement with a result, at <see cref="FlushAsync"/>, or at the commit, which is
    /// where an error then appears. SQLite has no round trips to save and runs them at once.
    /// </summary>
    public void Enqueue(string sql, params ReadOnlySpan<object?> values) => Statements.Enqueue(sql, values);

    /// <summary>Sends the enqueued statements.</summary>
    public Task FlushAsync() => BeforeStatement() ?? Task.CompletedTask;

    private protected override Task? BeforeStatement() => Statements.Flush(CancellationToken);
}
