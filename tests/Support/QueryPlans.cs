using System.Data.Common;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace OpenWop.Micro.Testing;

/// <summary>
/// Asks the planner how every statement of an assembly would be executed. A statement that reads a whole table takes longer the more
/// there is in it; it is reported, unless its table is one that stays small.
/// </summary>
public static partial class QueryPlans
{
    /// <summary>All statements of an assembly: its constants that begin like SQL, by where they stand.</summary>
    public static IReadOnlyList<(string Name, string Sql)> StatementsOf(Assembly assembly) =>
    [
        .. from type in assembly.GetTypes()
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           where field.FieldType == typeof(string) || field.FieldType == typeof(string[])
           let value = field.IsLiteral ? field.GetRawConstantValue() : field.IsInitOnly && !type.ContainsGenericParameters ? field.GetValue(null) : null
           from sql in value as string[] ?? (value is string text ? [text] : [])
           where Statement().IsMatch(sql) && !DataDefinition().IsMatch(sql)
           select ($"{type.Name}.{field.Name}", sql),
    ];

    /// <summary>Statements that read a whole table on SQLite.</summary>
    /// <param name="path">A database with the service's schema.</param>
    /// <param name="small">Tables that stay small.</param>
    public static async Task<List<string>> ScansOnSqliteAsync(string path, IEnumerable<(string Name, string Sql)> statements, params string[] small)
    {
        await using var connection = new SqliteConnection($"Data Source={path}");
        await connection.OpenAsync();
        var tables = await ReadAsync(connection, "SELECT name FROM sqlite_master WHERE type = 'table'", column: 0);
        var found = new List<string>();
        foreach (var (name, sql) in statements.Where(statement => !IsForPostgreSqlOnly(statement.Sql)))
        {
            var lines = await ReadAsync(connection, $"EXPLAIN QUERY PLAN {sql}", column: 3, command =>
            {
                for (var i = 1; i <= ParametersOf(sql); i++)
                    ((SqliteCommand)command).Parameters.AddWithValue($"${i}", DBNull.Value);
            });
            found.AddRange(from line in lines
                           let scan = SqliteScan().Match(line)
                           where scan.Success && tables.Except(small).Contains(scan.Groups[1].Value) && !IsBoundedByOrder(sql, line)
                           select $"{name}: {line}");
        }

        return found;
    }

    /// <summary>Statements that read a whole table on PostgreSQL, where it has an index to choose.</summary>
    /// <param name="connectionString">A database with the service's schema.</param>
    /// <param name="schema">The service's schema.</param>
    /// <param name="small">Tables that stay small.</param>
    public static async Task<List<string>> ScansOnPostgreSqlAsync(
        string connectionString, string schema, IEnumerable<(string Name, string Sql)> statements, params string[] small)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();

        // A table that is empty is read as a whole, index or not; the planner must think of what the plan is when it is not.
        await ExecuteAsync(connection, $"SET search_path TO {schema}; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan");
        var found = new List<string>();
        foreach (var (name, sql) in statements.Where(statement => !IsForSqliteOnly(statement.Sql)))
        {
            var values = string.Join(", ", Enumerable.Repeat("NULL", ParametersOf(sql)));
            await ExecuteAsync(connection, $"PREPARE checked AS {sql}");
            var lines = await ReadAsync(connection, $"EXPLAIN (COSTS OFF) EXECUTE checked{(values.Length == 0 ? "" : $"({values})")}", column: 0);
            await ExecuteAsync(connection, "DEALLOCATE checked");
            found.AddRange(from line in lines
                           let scan = SequentialScan().Match(line)
                           where scan.Success && !small.Contains(scan.Groups[1].Value)
                           select $"{name}: {line.Trim()}");
        }

        return found;
    }

    private static int ParametersOf(string sql) =>
        Parameter().Matches(sql).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();

    private static bool IsForPostgreSqlOnly(string sql) => PostgreSqlOnly().IsMatch(sql);

    private static bool IsForSqliteOnly(string sql) => sql.Contains("PRAGMA", StringComparison.Ordinal) || sql.Contains("sqlite_", StringComparison.Ordinal);

    /// <summary>An index read in its order until there is enough of it.</summary>
    private static bool IsBoundedByOrder(string sql, string line) =>
        line.Contains("USING", StringComparison.Ordinal) && sql.Contains("LIMIT", StringComparison.Ordinal);

    private static async Task ExecuteAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Statements of the product itself.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<string>> ReadAsync(DbConnection connection, string sql, int column, Action<DbCommand>? bind = null)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        bind?.Invoke(command);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(rows.GetString(column));
        return lines;
    }

    [GeneratedRegex(@"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", RegexOptions.IgnoreCase)]
    private static partial Regex Statement();

    [GeneratedRegex(@"^\s*(CREATE|ALTER)\s", RegexOptions.IgnoreCase)]
    private static partial Regex DataDefinition();

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"ANY \(|FOR UPDATE|unnest|pg_|::", RegexOptions.IgnoreCase)]
    private static partial Regex PostgreSqlOnly();

    [GeneratedRegex(@"^SCAN (\w+)")]
    private static partial Regex SqliteScan();

    [GeneratedRegex(@"Seq Scan on (\w+)")]
    private static partial Regex SequentialScan();
}
