using System.Data.Common;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace OpenWop.Micro.Storage.Sqlite;

/// <summary>
/// One SQLite connection with its prepared statements by SQL text. Preparing costs more than most of the statements here
/// take to run, and Microsoft.Data.Sqlite keeps a statement prepared for as long as its command lives.
/// </summary>
internal sealed class SqliteStatements(SqliteConnection connection) : Statements, IDisposable
{
    /// <summary>Far more than a service has; reached only when SQL is built from values, which is then merely slow.</summary>
    private const int Capacity = 256;

    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    public override SqlDialect Dialect => SqlDialect.Sqlite;

    public override DbConnection Connection => connection;

    public override DbCommand Command(string sql, ReadOnlySpan<object?> values) => Prepare(sql, values);

    public override void Enqueue(string sql, ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteNonQuery();

    public override Task? Flush(CancellationToken cancellationToken) => null;

    public void Execute(string sql) => Prepare(sql, []).ExecuteNonQuery();

    public void Dispose()
    {
        Clear();
        connection.Dispose();
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            if (_commands.Count >= Capacity)
                Clear();

            command = connection.CreateCommand();
            command.CommandText = sql;
            _commands.Add(sql, command);
        }

        var parameters = command.Parameters;
        if (parameters.Count != values.Length)
        {
            parameters.Clear();
            for (var i = 1; i <= values.Length; i++)
                parameters.Add(new SqliteParameter { ParameterName = "$" + i });
        }

        for (var i = 0; i < values.Length; i++)
            parameters[i].Value = ToSqlite(values[i]);

        return command;
    }

    private static object ToSqlite(object? value) => value switch
    {
        null => DBNull.Value,
        ReadOnlyMemory<byte> memory => MemoryMarshal.TryGetArray(memory, out var segment)
            && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : memory.ToArray(),
        _ => value,
    };

    private void Clear()
    {
        foreach (var command in _commands.Values)
            command.Dispose();

        _commands.Clear();
    }
}
