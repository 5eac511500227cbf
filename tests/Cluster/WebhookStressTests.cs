using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Cluster.Tests.Load;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>
/// Webhooks under load, with receivers that fail, hang and are not there, and workers that are killed in turn. The large form, by hand:
/// <c>OPENWOP_STRESS_RUNS=20000 OPENWOP_STRESS_HOOKS=47 OPENWOP_STRESS_GROUPS=24</c>.
/// </summary>
[Collection(WithCluster.Name)]
public sealed class WebhookStressTests(ITestOutputHelper output)
{
    private const string Hanging = "hanging";
    private const string Good = "good";

    /// <summary>Events of a run that are subscribed to.</summary>
    private const int EventsPerRun = 2;

    private static readonly int Runs = Number("OPENWOP_STRESS_RUNS", 500);

    /// <summary>Receivers that refuse three of ten deliveries.</summary>
    private static readonly int Failing = Number("OPENWOP_STRESS_HOOKS", 7);

    /// <summary>Runs and failing receivers are cut into groups by tags, so that each run concerns some of them.</summary>
    private static readonly int Groups = Number("OPENWOP_STRESS_GROUPS", 1);

    private static readonly int Kills = Runs < 5_000 ? 2 : 6;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60 + (Runs / 10));

    [Fact]
    public async Task Every_event_arrives_in_order_whatever_becomes_of_workers_and_other_receivers()
    {
        var ledgers = Enumerable.Range(0, Failing).Select(index => $"failing-{index}").Append(Good).ToDictionary(hook => hook, _ => new HookLedger(), StringComparer.Ordinal);
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = async (delivery, context) =>
        {
            if (ledgers.TryGetValue(delivery.Hook, out var ledger))
            {
                var isTaken = delivery.Hook == Good || Random.Shared.NextDouble() >= 0.3;
                ledger.Add(delivery, isTaken);
                return isTaken ? 204 : 500;
            }

            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return 500;
        };
        var cluster = await LocalCluster.UpAsync(Options());
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(cluster.Of("gateway")[0].Url) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key);
            for (var index = 0; index < Failing; index++)
                ledgers[$"failing-{index}"].Secret = await RegisterAsync(client, receiver.UrlOf($"failing-{index}"), $"group-{index % Groups}");

            ledgers[Good].Secret = await RegisterAsync(client, receiver.UrlOf(Good));
            await RegisterAsync(client, receiver.UrlOf(Hanging));
            await RegisterAsync(client, "http://127.0.0.1:1/dead");
            await StoreAsync(client);

            var started = Stopwatch.GetTimestamp();
            var runs = new ConcurrentBag<(string RunId, int Group)>();
            var killing = KillInTurnAsync(cluster, runs);
            await Parallel.ForEachAsync(Enumerable.Range(0, Runs), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
                runs.Add((await CreateAsync(client, $"group-{number % Groups}"), number % Groups)));
            await killing;
            output.WriteLine($"{Runs} runs and {Kills} kills after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");

            var byGroup = runs.ToLookup(run => run.Group, run => run.RunId);
            var expected = ledgers.ToDictionary(
                entry => entry.Key,
                entry => entry.Key == Good ? [.. runs.Select(run => run.RunId)] : byGroup[int.Parse(entry.Key.AsSpan("failing-".Length), provider: null) % Groups].ToList());
            await UntilAsync(() => ledgers.All(entry => entry.Value.Events == expected[entry.Key].Count * EventsPerRun), "everything has arrived");
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{ledgers.Values.Sum(ledger => ledger.Events)} events at {ledgers.Count} receivers after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {ledgers.Values.Sum(ledger => ledger.Repetitions)} repetitions"));
            foreach (var (hook, ledger) in ledgers)
            {
                Assert.Empty(ledger.Violations);
                Assert.Equal(expected[hook].Order(StringComparer.Ordinal), ledger.Runs.Order(StringComparer.Ordinal));
            }

            Assert.Empty(receiver.TakenBy(Hanging));
        }
        finally
        {
            await cluster.DownAsync();
        }
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

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

    /// <summary>One worker dies, and when it is back the other one does.</summary>
    private static async Task KillInTurnAsync(LocalCluster cluster, ConcurrentBag<(string RunId, int Group)> runs)
    {
        for (var kill = 0; kill < Kills; kill++)
        {
            var share = Runs * (kill + 1) / (Kills + 1);
            await UntilAsync(() => runs.Count > share, "the next part of the runs is made");
            var victim = $"webhooks-{1 + (kill % 2)}";
            await cluster[victim].KillAsync();
            await cluster.RestartAsync(victim);
        }
    }

    /// <returns>The secret.</returns>
    private static async Task<string> RegisterAsync(HttpClient client, string url, params string[] tags)
    {
        using var response = await client.PostAsync("/v1/webhooks", Json(new { url, events = new[] { "node.completed", "run.completed" }, tags }));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonElement.Parse(text).GetProperty("secret").GetString()!;
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

    private static async Task<string> CreateAsync(HttpClient client, string tag)
    {
        using var response = await client.PostAsync("/v1/runs", Json(new { workflowId = "stress", tags = new[] { tag } }));
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
