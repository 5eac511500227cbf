using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using OpenWop.Micro.Cluster.Tests.Load;
using OpenWop.Micro.Testing;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>How long the runs of an engine stand still that is killed.</summary>
[Collection(WithCluster.Name)]
public sealed class TakeOverTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Runs = 16;

    /// <summary>Beyond the lease: to notice, to load the runs, to make the next event and to show it, on a machine that is busy.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(6);

    /// <summary><c>OPENWOP_CLUSTER_KILLS</c>: how many engines are killed one after the other.</summary>
    [Fact]
    public async Task The_runs_of_an_engine_that_is_killed_go_on_after_its_lease()
    {
        var random = FaultSeed.Next(output);
        var kills = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_CLUSTER_KILLS") ?? "2", CultureInfo.InvariantCulture);
        using var gateways = new Gateways(fixture.Cluster.Of("gateway"));
        await gateways.CallAsync("PUT", "/v1/workflows/" + Work.Ticking.WorkflowId, Work.Ticking.Definition);
        var (first, all) = (new Latencies(), new Latencies());
        for (var kill = 0; kill < kills; kill++)
            await KillAsync(gateways, fixture.Cluster.Of("runs")[random.Next(3)].Name, first, all);

        output.WriteLine($"from SIGKILL to the first new event of any of its runs: {first}");
        output.WriteLine($"from SIGKILL to the first new event of each of its runs: {all}");
        Assert.True(all.Worst < (ClusterFixture.Lease + Margin).TotalMilliseconds, all.ToString());
    }

    private async Task KillAsync(Gateways gateways, string victim, Latencies first, Latencies all)
    {
        await Eventually.TrueAsync(async () => (await ShardsAsync(victim)).Count > 3);
        var last = new ConcurrentDictionary<string, long>();
        List<string> runs = [];
        List<Task> streams = [];
        for (var i = 0; i < Runs; i++)
        {
            var runId = (await gateways.CallAsync("POST", "/v1/runs", $$"""{"workflowId":"{{Work.Ticking.WorkflowId}}"}""", Guid.NewGuid().ToString())).Body.GetProperty("runId").GetString()!;
            runs.Add(runId);
            streams.Add(Follower.FollowAsync(gateways, runId, (uint)i, _ => last[runId] = Stopwatch.GetTimestamp()));
        }

        await Eventually.TrueAsync(() => last.Count == Runs);
        var shards = await ShardsAsync(victim);
        var affected = runs.Where(runId => shards.Contains(runId[4..6])).ToList();
        await fixture.Cluster[victim].KillAsync();
        var killed = Stopwatch.GetTimestamp();

        // What was under way when it died is no sign of life.
        var silence = killed + (Stopwatch.Frequency / 2);
        var back = new Dictionary<string, TimeSpan>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (back.Count < affected.Count)
        {
            foreach (var runId in affected.Where(runId => !back.ContainsKey(runId) && last[runId] > silence))
                back[runId] = Stopwatch.GetElapsedTime(killed, last[runId]);

            await Task.Delay(2, limit.Token);
        }

        if (back.Count > 0)
            first.Add(back.Values.Min());
        foreach (var time in back.Values)
            all.Add(time);

        await fixture.Cluster.RestartAsync(victim);
        await Parallel.ForEachAsync(runs, async (runId, _) => await gateways.CallAsync("POST", $"/v1/runs/{runId}/cancel", "{}", runId + "-cancel", (_, code) => code == "run_terminal"));
        await Task.WhenAll(streams);
    }

    /// <summary>The shards of an engine, as ids of runs spell them.</summary>
    private async Task<List<string>> ShardsAsync(string member)
    {
        await using var source = NpgsqlDataSource.Create(fixture.Cluster.Postgres.ConnectionString);
        await using var command = source.CreateCommand("SELECT shard FROM runs.shards WHERE address = $1");
        command.Parameters.AddWithValue(fixture.Cluster[member].Url);
        await using var rows = await command.ExecuteReaderAsync();
        List<string> shards = [];
        while (await rows.ReadAsync())
            shards.Add(rows.GetInt32(0).ToString("x2", CultureInfo.InvariantCulture));

        return shards;
    }
}
