using System.Data.Common;

namespace OpenWop.Micro.Storage;

/// <summary>How an engine turns SQL text and values into commands on one connection.</summary>
internal abstract class Statements
{
    public abstract SqlDialect Dialect { get; }

    public abstract DbConnection Connection { get; }

    /// <summary>A command ready to run.</summary>
    public abstract DbCommand Command(string sql, ReadOnlySpan<object?> values);

    /// <summary>Runs now or with the next <see cref="Flush"/>, whichever is cheaper.</summary>
    public abstract void Enqueue(string sql, ReadOnlySpan<object?> values);

    /// <summary>Sends enqueued statements; null when there are none.</summary>
    public abstract Task? Flush(CancellationToken cancellationToken);
}
