using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using Npgsql;
using SQLitePCL;

namespace OpenWop.Micro.Storage;

/// <summary>What an exception of either engine means.</summary>
public static class DatabaseErrors
{
    /// <summary>
    /// A unique or primary key already holds the value. On PostgreSQL the transaction is then unusable, so where a duplicate
    /// is expected, use <c>ON CONFLICT DO NOTHING</c> instead of catching.
    /// </summary>
    public static bool IsUniqueViolation(Exception exception) => exception switch
    {
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode is raw.SQLITE_CONSTRAINT_UNIQUE or raw.SQLITE_CONSTRAINT_PRIMARYKEY,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.UniqueViolation,
        _ => false,
    };

    /// <summary>
    /// The transaction stood in a circle with others that waited for each other, or could not be brought into an order with them: it was
    /// rolled back, and the same work may well succeed at another attempt. <see cref="Database.WriteAsync{T}"/> makes some by itself.
    /// </summary>
    public static bool IsConflict(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>What passes: whoever asked may ask again later. Everything else is a mistake.</summary>
    public static bool IsTemporary(Exception exception) => IsUnavailable(exception) || IsConflict(exception);

    /// <summary>
    /// The database cannot work at the moment, whatever it is asked: unreachable, shutting down, out of disk or connections, locked for
    /// longer than one waits. Another attempt right now would end the same way.
    /// </summary>
    public static bool IsUnavailable(Exception exception) => exception switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_NOMEM or raw.SQLITE_READONLY
            or raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_FULL or raw.SQLITE_CANTOPEN or raw.SQLITE_NOTADB,
        PostgresException postgres => postgres.InvariantSeverity != "ERROR" || postgres.SqlState[..2] is "08" or "53" or "57" or "58",
        NpgsqlException or TimeoutException or CommitOutcomeUnknownException => true,
        ObjectDisposedException => true,
        _ => false,
    };
}

/// <summary>
/// The connection broke while committing: the transaction is either completely there or completely absent, and only reading
/// the database tells which. Never retried blindly.
/// </summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always carries its cause.")]
public sealed class CommitOutcomeUnknownException(Exception cause)
    : Exception("The connection to the database broke during a commit; its outcome is unknown.", cause);

/// <summary>Another process uses the file that was asked for exclusively.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always names the file.")]
public sealed class DatabaseInUseException(string path, Exception? cause)
    : Exception($"Another process uses the database file '{path}'. Stop it, or give this one a data folder of its own.", cause);
