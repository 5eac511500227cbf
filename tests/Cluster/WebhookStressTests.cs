using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>
/// Webhooks under load, with receivers that fail, hang and are not there, and a worker that is killed. <c>OPENWOP_STRESS_RUNS</c> says how
/// many runs there are.
/// </summary>
[Collection(WithCluster.Name)]
public sealed class WebhookStressTests(ITestOutputHelper output)
{
    private const int Failing = 7;
    private const string Hanging = "hanging";
    private const string Good = "good";

    private static readonly int Runs = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_STRESS_RUNS") ?? "500", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60 + (Runs / 10));

    [Fact]
    public async Task Every_event_arrives_in_order_whatever_becomes_of_workers_and_other_receivers()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = async (delivery, context) =>
        {
            if (delivery.Hook != Hanging)
                return delivery.Hook != Good && Random.Shared.NextDouble() < 0.3 ? 500 : 204;

            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return 500;
        };
        var cluster = await LocalCluster.UpAsync(Options());
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(cluster.Of("gateway")[0].Url) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key);
            string[] hooks = [Good, .. Enumerable.Range(0, Failing).Select(index => $"failing-{index}")];
            foreach (var hook in (string[])[.. hooks, Hanging])
                await RegisterAsync(client, receiver.UrlOf(hook));

            await RegisterAsync(client, "http://127.0.0.1:1/dead");
            await StoreAsync(client);

            var started = Stopwatch.GetTimestamp();
            var runs = new ConcurrentBag<string>();
            var kill = KillAsync(cluster, runs);
            await Parallel.ForEachAsync(Enumerable.Range(0, Runs), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) => runs.Add(await CreateAsync(client)));
            await kill;
            output.WriteLine($"{Runs} runs after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");

            await UntilAsync(() => hooks.All(hook => receiver.TakenBy(hook).Select(delivery => delivery.Id).Distinct().Count() == Runs * 2), "everything has arrived");
            output.WriteLine($"everything after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {receiver.Taken.Count - (hooks.Length * Runs * 2)} repetitions");
            foreach (var hook in hooks)
            {
                var byRun = receiver.TakenBy(hook).DistinctBy(delivery => delivery.Id).GroupBy(delivery => delivery.RunId).ToArray();
                Assert.Equal(runs.Order(StringComparer.Ordinal), byRun.Select(run => run.Key).Order(StringComparer.Ordinal));
                Assert.All(byRun, run => Assert.Equal(["node.completed", "run.completed"], run.Select(delivery => delivery.Type)));
            }

            // Who fails nobody else's deliveries waits for nobody: the good one was not held up by the other nine.
            Assert.Empty(receiver.TakenBy(Hanging));
        }
        finally
        {
            await cluster.DownAsync();
        }
    }

    private static ClusterOptions Options() => new ClusterOptions
    {
        Folder = Path.Combine(Path.GetTempPath(), "openwop-webhooks-" + Guid.NewGuid().ToString("N")[..8]),
        Settings = new Dictionary<string, string>
        {
            ["OPENWOP_CLAIM_TTL_MS"] = "2000",
            ["OPENWOP_WEBHOOK_ALLOW_PRIVATE"] = "true",
            ["OPENWOP_WEBHOOK_FIRST_RETRY_MS"] = "50",
            ["OPENWOP_WEBHOOK_MAX_RETRY_SECONDS"] = "1",
            ["OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS"] = "1",
            ["OPENWOP_WEBHOOK_MAX_FAILURES"] = "100000",
            ["OPENWOP_WEBHOOK_MAX_ATTEMPTS"] = "100",
            ["OPENWOP_RATELIMIT_DISABLED"] = "true",
            ["OPENWOP_LOG_LEVEL"] = "Error",
        },
    }.With("runs", 1).With("gateway", 1).With("webhooks", 2).With("scheduler", 0);

    /// <summary>In the middle, one worker dies; a little later it comes back.</summary>
    private static async Task KillAsync(LocalCluster cluster, ConcurrentBag<string> runs)
    {
        await UntilAsync(() => runs.Count > Runs / 3, "a third of the runs is made");
        await cluster["webhooks-1"].KillAsync();
        await UntilAsync(() => runs.Count > Runs * 2 / 3, "two thirds of the runs are made");
        await cluster.RestartAsync("webhooks-1");
    }

    private static async Task RegisterAsync(HttpClient client, string url)
    {
        using var response = await client.PostAsync("/v1/webhooks", Json(new { url, events = new[] { "node.completed", "run.completed" } }));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task StoreAsync(HttpClient client)
    {
        const string Workflow = """
            {"id":"stress","name":"stress","version":"1.0","nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":0,"y":0},"inputs":{},"config":{}}],
             "edges":[],"triggers":[{"id":"manual","type":"manual"}],"variables":[],"metadata":{},"settings":{}}
            """;
        using var response = await client.PutAsync("/v1/workflows/stress", new StringContent(Workflow, Encoding.UTF8, "application/json"));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<string> CreateAsync(HttpClient client)
    {
        using var response = await client.PostAsync("/v1/runs", Json(new { workflowId = "stress" }));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonElement.Parse(text).GetProperty("runId").GetString()!;
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
                throw new TimeoutException("Still not true: " + what);

            await Task.Delay(100);
        }
    }

    private static StringContent Json(object body) => new(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
}
