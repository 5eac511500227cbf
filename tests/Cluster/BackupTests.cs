using Npgsql;
using OpenWop.Micro.Cluster.Tests.Load;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
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

    /// <summary>Runs that need nobody to come to their end.</summary>
    private const string Unfinished = "SELECT count(*) FROM runs.runs WHERE workflow_id LIKE 'crash-%' AND status NOT IN ('completed', 'failed')";

    /// <summary>Shards whose restored log ends before what has been read of it.</summary>
    private const string Ahead = """
        SELECT count(*) FROM webhooks.cursors AS cursor
        WHERE cursor.position > (SELECT coalesce(max(event.position), 0) FROM runs.run_events AS event WHERE event.shard = cursor.shard)
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

    [Fact]
    public async Task A_cluster_that_starts_on_a_restored_database_goes_on_with_its_runs_and_tells_of_new_ones()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var load = new MixedLoad(fixture, output);
        var hook = (await load.Gateways.CallAsync("POST", "/v1/webhooks", $$"""{"url":"{{receiver.UrlOf("restored")}}","events":["run.completed"]}""", Guid.NewGuid().ToString())).Body;
        var postgres = fixture.Cluster.Postgres;
        List<string> files = [];
        try
        {
            // The runs in the middle of things, and everybody else later than they are.
            await load.RunAsync(
                120,
                async () => files.Add(await postgres.DumpAsync("runs")),
                async () =>
                {
                    foreach (var schema in new[] { "workflows", "identity", "scheduler", "webhooks" })
                        files.Add(await postgres.DumpAsync(schema));
                });

            foreach (var member in fixture.Cluster.Members.Where(member => member.Service != "redis"))
                await member.KillAsync();
            await postgres.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name LIKE 'openwop%'");
            await postgres.RestoreAsync(files);
            await postgres.ExecuteFileAsync(Path.Combine(RootFolder(), "deploy", "sql", "after-restore.sql"));

            await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
            output.WriteLine($"{await CountAsync(database, Unfinished)} of {await CountAsync(database, Runs)} runs are to go on; the cursors are ahead of {await CountAsync(database, Ahead)} shards");
            await fixture.HealAsync();

            await Testing.Eventually.TrueAsync(async () => await CountAsync(database, Unfinished) == 0);
            Assert.Equal(0, await CountAsync(database, Torn));

            // In every shard, so that none of them is one whose cursor was right.
            var created = new List<string>();
            for (var i = 0; i < 32; i++)
                created.Add((await load.Gateways.CallAsync("POST", "/v1/runs", """{"workflowId":"fault-child"}""", Guid.NewGuid().ToString())).Body.GetProperty("runId").GetString()!);
            await Testing.Eventually.TrueAsync(() => created.Except(receiver.TakenBy("restored").Select(delivery => delivery.RunId)).Any() is false);
        }
        finally
        {
            await fixture.HealAsync();
            using var gone = await load.Gateways.Client(0).DeleteAsync(new Uri("/v1/webhooks/" + hook.GetProperty("webhookId").GetString(), UriKind.Relative));
        }
    }

    private static string RootFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenWop.Micro.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
