using System.Data.Common;
using Npgsql;

namespace OpenWop.Micro.Storage.PostgreSql;

/// <summary>Statements on one PostgreSQL connection; Npgsql prepares repeated ones by itself (<c>MaxAutoPrepare</c>).</summary>
internal sealed class PostgreSqlStatements(NpgsqlConnection connection) : Statements
{
    private NpgsqlBatch? _queued;

    public override SqlDialect Dialect => SqlDialect.PostgreSql;

    public override DbConnection Connection => connection;

    public override DbCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        Bind(command.Parameters, values);
        return command;
    }

    public override void Enqueue(string sql, ReadOnlySpan<object?> values)
    {
        _queued ??= new NpgsqlBatch(connection);
        var command = new NpgsqlBatchCommand(sql);
        Bind(command.Parameters, values);
        _queued.BatchCommands.Add(command);
    }

    public override Task? Flush(CancellationToken cancellationToken)
    {
        if (_queued is not { } batch)
            return null;

        _queued = null;
        return Send(batch, cancellationToken);

        static async Task Send(NpgsqlBatch batch, CancellationToken cancellationToken)
        {
            await using (batch)
                await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Bind(NpgsqlParameterCollection parameters, ReadOnlySpan<object?> values)
    {
        foreach (var value in values)
            parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
    }
}
