using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.ClusterTool;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>Runs that start runs while the workers that see to it are killed in turn. <c>OPENWOP_TRIGGER_RUNS</c> says how many there are.</summary>
[Collection(WithCluster.Name)]
public sealed class TriggerFaultTests(ITestOutputHelper output)
{
    private static readonly int Runs = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_TRIGGER_RUNS") ?? "60", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90 + (Runs / 10));

    [Fact]
    public async Task Every_run_starts_exactly_one_other_whatever_dies()
    {
        var cluster = await LocalCluster.UpAsync(new ClusterOptions
        {
            Folder = Path.Combine(Path.GetTempPath(), "openwop-triggers-" + Guid.NewGuid().ToString("N")[..8]),
            Settings = new Dictionary<string, string> { ["OPENWOP_CLAIM_TTL_MS"] = "2000", ["OPENWOP_RATELIMIT_DISABLED"] = "true", ["OPENWOP_LOG_LEVEL"] = "Error" },
        }.With("runs", 2).With("gateway", 1).With("webhooks", 2).With("scheduler", 0));
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(cluster.Of("gateway")[0].Url) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key);
            foreach (var id in (string[])["source", "target"])
                await CallAsync(client, HttpMethod.Put, "/v1/workflows/" + id, Workflow(id));

            var trigger = (await CallAsync(
                client,
                HttpMethod.Post,
                "/api/triggers",
                """{"workflowId":"target","on":{"events":["run.completed"],"workflowId":"source"},"inputs":{"of":"runId"},"ratePerMinute":6000}""")).GetProperty("id").GetString();
            var sources = new ConcurrentBag<string>();
            var killing = KillInTurnAsync(cluster, sources);
            await Parallel.ForEachAsync(Enumerable.Range(0, Runs), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) => sources.Add(
                (await CallAsync(client, HttpMethod.Post, "/v1/runs", """{"workflowId":"source"}""")).GetProperty("runId").GetString()!));
            var kills = await killing;

            using var limit = new CancellationTokenSource(Limit);
            while ((await ListAsync(client, $"/api/triggers/{trigger}/firings")).Count(firing => firing.GetProperty("status").GetString() == "started") < Runs)
                await Task.Delay(200, limit.Token);

            var firings = await ListAsync(client, $"/api/triggers/{trigger}/firings");
            Assert.Equal(sources.Order(StringComparer.Ordinal), firings.Select(firing => firing.GetProperty("source").GetProperty("runId").GetString()).Order(StringComparer.Ordinal));

            // What the engine has, not what the workers believe: one run per source, and it is the one that the firing names.
            var targets = await ListAsync(client, "/api/runs?workflowId=target");
            Assert.Equal(
                firings.Select(firing => firing.GetProperty("runId").GetString()).Order(StringComparer.Ordinal),
                targets.Select(run => run.GetProperty("id").GetString()).Order(StringComparer.Ordinal));
            output.WriteLine($"{Runs} runs, {kills} kills, {targets.Count} runs started, attempts of one at most {firings.Max(firing => firing.GetProperty("attempts").GetInt32())}");
        }
        finally
        {
            await cluster.DownAsync();
        }
    }

    private static async Task<int> KillInTurnAsync(LocalCluster cluster, ConcurrentBag<string> sources)
    {
        const int Kills = 2;
        using var limit = new CancellationTokenSource(Limit);
        for (var kill = 0; kill < Kills; kill++)
        {
            while (sources.Count < Runs * (kill + 1) / (Kills + 1))
                await Task.Delay(5, limit.Token);

            var victim = $"webhooks-{1 + (kill % 2)}";
            await cluster[victim].KillAsync();
            await cluster.RestartAsync(victim);
        }

        return Kills;
    }

    private static async Task<List<JsonElement>> ListAsync(HttpClient client, string path)
    {
        var all = new List<JsonElement>();
        string? after = null;
        do
        {
            var page = await CallAsync(client, HttpMethod.Get, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=200{(after is null ? "" : "&after=" + Uri.EscapeDataString(after))}");
            all.AddRange(page.GetProperty("data").EnumerateArray());
            after = page.GetProperty("pagination").GetProperty("next").GetString();
        }
        while (after is not null);

        return all;
    }

    private static async Task<JsonElement> CallAsync(HttpClient client, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    private static string Workflow(string id) => $$"""
        {"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":0,"y":0},"inputs":{},"config":{} }],
         "edges":[],"triggers":[{"id":"manual","type":"manual"}],"variables":[],"metadata":{},"settings":{} }
        """;
}
