using Npgsql;
using OpenWop.Micro.Cluster.Tests.Load;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>Backups as docs/operations.md describes them.</summary>
[Collection(WithCluster.Name)]
public sealed class BackupTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const string Runs = "SELECT count(*) FROM runs.runs";

    /// <summary>Nothing of a log is missing, and no state is ahead of its log.</summary>
    private const string Torn = """
        SELECT count(*) FROM runs.runs AS run
        LEFT JOIN runs.run_states AS state ON state.run_id = run.run_id
        WHERE run.last_sequence + 1 <> (SELECT count(*) FROM runs.run_events AS event WHERE event.run_id = run.run_id)
           OR state.sequence > run.last_sequence
        """;

    private const string Foreign = """
        SELECT count(*) FROM runs.runs AS run
        WHERE run.workflow_id LIKE 'fault-%' AND NOT EXISTS (SELECT 1 FROM workflows.workflow_heads AS head WHERE head.workflow_id = run.workflow_id)
        """;

    [Fact]
    public async Task Schemas_that_are_dumped_one_after_the_other_under_load_fit_together()
    {
        using var load = new MixedLoad(fixture, output);
        List<string> files = [];
        await load.RunAsync(120, async () =>
        {
            // Runs first: what they refer to is older than they are.
            foreach (var schema in new[] { "runs", "workflows", "identity" })
                files.Add(await fixture.Cluster.Postgres.DumpAsync(schema));
        });

        await using var restored = NpgsqlDataSource.Create(await fixture.Cluster.Postgres.RestoreAsync("restored", files));
        Assert.NotEqual(0, await CountAsync(restored, Runs));
        Assert.Equal(0, await CountAsync(restored, Torn));
        Assert.Equal(0, await CountAsync(restored, Foreign));
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
