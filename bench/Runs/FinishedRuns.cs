using Microsoft.Data.Sqlite;

namespace OpenWop.Micro.Bench.Runs;

/// <summary>
/// A past: the finished runs of a store, copied under other ids until there are as many as wanted. Every table and index has the rows
/// that real runs would have left.
/// </summary>
internal static class FinishedRuns
{
    private const int PerTransaction = 500;

    /// <param name="path">The runs database of a host that is not running.</param>
    public static void Multiply(string path, int wanted)
    {
        using var connection = new SqliteConnection($"Data Source={path}");
        connection.Open();
        Execute(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; CREATE TEMP TABLE model AS SELECT * FROM runs; CREATE TEMP TABLE model_events AS SELECT * FROM run_events; CREATE TEMP TABLE model_states AS SELECT * FROM run_states;");
        var model = Scalar(connection, "SELECT count(*) FROM model");
        var span = Scalar(connection, "SELECT max(position) FROM model_events");
        var copies = (wanted + model - 1) / model;
        var columns = Columns(connection, "runs");
        for (var from = 1L; from <= copies; from += PerTransaction)
        {
            var to = Math.Min(copies, from + PerTransaction - 1);
            var numbers = $"WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to})";
            using var transaction = connection.BeginTransaction();
            Execute(connection, $"{numbers} INSERT INTO runs SELECT {string.Join(", ", columns.Select(column => column == "run_id" ? Copy("run_id") : column))} FROM model, n ORDER BY 1");
            Execute(connection, $"{numbers} INSERT INTO run_events SELECT {string.Join(", ", Columns(connection, "run_events").Select(column => column switch { "run_id" => Copy("run_id"), "position" => $"position + i * {span}", _ => column }))} FROM model_events, n ORDER BY 1, sequence");
            Execute(connection, $"{numbers} INSERT INTO run_states SELECT {string.Join(", ", Columns(connection, "run_states").Select(column => column == "run_id" ? Copy("run_id") : column))} FROM model_states, n ORDER BY 1");
            transaction.Commit();
        }

        Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;");
    }

    /// <summary>Same shard, same length, another run: the last eight characters become a number.</summary>
    private static string Copy(string id) => $"substr({id}, 1, length({id}) - 8) || printf('%08d', i)";

    private static List<string> Columns(SqliteConnection connection, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM pragma_table_info($1) ORDER BY cid";
        command.Parameters.AddWithValue("$1", table);
        using var rows = command.ExecuteReader();
        var columns = new List<string>();
        while (rows.Read())
            columns.Add(rows.GetString(0));
        return columns;
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // No input.
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandTimeout = 600;
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
