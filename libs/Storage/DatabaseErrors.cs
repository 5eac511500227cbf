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
