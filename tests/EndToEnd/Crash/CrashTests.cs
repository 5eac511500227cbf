using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using Xunit.Abstractions;

namespace OpenWop.Micro.EndToEnd.Tests.Crash;

/// <summary>
/// What an acknowledgement is worth: 300 runs of mixed workflows are created while the host is killed at random moments and
/// started again on the same data. The seed of the moments is printed; set <c>OPENWOP_CRASH_SEED</c> to repeat it.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Runs = 300;
    private const int Kills = 6;
    private const int Clients = 8;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_or_done_twice_when_the_host_is_killed()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_CRASH_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"OPENWOP_CRASH_SEED={seed}");
        var random = new Random(seed);
        await using var server = await CountingServer.StartAsync();
        var workflows = CrashWorkflows.All(server.Url);
        (string, string)[] settings = [("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"), ("OPENWOP_RATELIMIT_DISABLED", "true")];
        var installation = await Installation.StartAsync(Form.Embedded, settings);
        try
        {
            await StoreAsync(installation, workflows);
            var host = new CurrentHost(installation.BaseUrl);
            var acknowledged = new ConcurrentDictionary<int, string>();
            var creating = CreateAllAsync(host, workflows, acknowledged);

            for (var kill = 0; kill < Kills; kill++)
            {
                // Each kill falls at a random point of the work: after so many acknowledgements and a little more.
                var target = (kill + 1) * Runs / (Kills + 1);
                await WaitUntilAsync(() => acknowledged.Count >= target || creating.IsCompleted);
                await Task.Delay(random.Next(0, 150));
                host.Leave();
                installation = await installation.RestartAfterCrashAsync(Form.Embedded, settings);
                host.Enter(installation.BaseUrl);
            }

            await creating;
            Assert.Equal(Runs, acknowledged.Count);
            Assert.Equal(Runs, acknowledged.Values.Distinct().Count());
            using var client = new Client(installation.BaseUrl);
            foreach (var (index, runId) in acknowledged)
                await CheckAsync(client, workflows[index % workflows.Count], index, runId, server);
        }
        finally
        {
            await installation.DisposeAsync();
        }
    }

    private static async Task StoreAsync(Installation installation, IEnumerable<CrashWorkflow> workflows)
    {
        using var client = new Client(installation.BaseUrl);
        foreach (var workflow in workflows)
        {
            using var stored = await client.SendAsync("PUT", "/v1/workflows/" + workflow.Id, workflow.Definition);
            Assert.True(stored.IsSuccessStatusCode, await stored.Content.ReadAsStringAsync());
        }
    }

    /// <summary>Creates all runs; a request that got no answer is sent again with the same key until it is answered.</summary>
    private static Task CreateAllAsync(CurrentHost host, IReadOnlyList<CrashWorkflow> workflows, ConcurrentDictionary<int, string> acknowledged)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            for (var index = Interlocked.Increment(ref next); index < Runs; index = Interlocked.Increment(ref next))
            {
                var body = $$"""{"workflowId":"{{workflows[index % workflows.Count].Id}}","inputs":{"label":"r{{index}}"} }""";
                acknowledged[index] = await CreateAsync(host, body, $"run-{index}");
            }
        })));
    }

    private static async Task<string> CreateAsync(CurrentHost host, string body, string key)
    {
        while (true)
        {
            try
            {
                using var client = new Client(await host.GetAsync());
                using var response = await client.SendAsync("POST", "/v1/runs", body, ("Idempotency-Key", key));
                var text = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == System.Net.HttpStatusCode.Created)
                    return JsonElement.Parse(text).GetProperty("runId").GetString()!;

                // A host that has just started may not own its shards yet, and the key of a request that a crash interrupted is still held.
                Assert.True((int)response.StatusCode is 409 or 503, $"{(int)response.StatusCode} {text}");
                await Task.Delay(50);
            }
            catch (HttpRequestException)
            {
                // The host died before it answered.
            }
            catch (IOException)
            {
                // The same, in the middle of the answer.
            }
        }
    }

    private static async Task CheckAsync(Client client, CrashWorkflow workflow, int index, string runId, CountingServer server)
    {
        var events = await ReadToEndAsync(client, runId);
        var where = $"run {index} ({workflow.Id}, {runId})";
        Assert.Equal(Enumerable.Range(0, events.Count).Select(sequence => (long)sequence), events.Select(@event => @event.GetProperty("sequence").GetInt64()));
        var terminal = events.Count(@event => @event.GetProperty("type").GetString() is "run.completed" or "run.failed" or "run.cancelled");
        Assert.True(terminal == 1, $"{where}: {terminal} terminal events");
        Assert.True(events[^1].GetProperty("type").GetString() == "run." + workflow.ExpectedStatus, $"{where}: {events[^1]}");
        Assert.Equal(workflow.ExpectedStatus, (await client.GetAsync("/v1/runs/" + runId)).GetProperty("status").GetString());

        if (workflow.Id == "crash-delay")
            CheckDelay(events, where);

        string[] calls = workflow.Id switch
        {
            "crash-http" => ["first", "second"],
            "crash-branches" => ["branch"],
            _ => [],
        };
        foreach (var call in calls)
        {
            Assert.True(server.Calls.TryGetValue($"r{index}-{call}", out var keys), $"{where}: call '{call}' was never made");
            Assert.True(keys.Count == 1 && keys.Keys.Single().Length > 0, $"{where}: call '{call}' came with the keys {string.Join(", ", keys.Keys)}");
        }
    }

    /// <summary>The wait was started once and ended at its own deadline, not at one that a restart had moved.</summary>
    private static void CheckDelay(List<JsonElement> events, string where)
    {
        var waits = events.Where(@event => @event.TryGetProperty("nodeId", out var node) && node.GetString() == "wait").ToList();
        Assert.True(waits.Count == 2, $"{where}: {waits.Count} events of the wait");
        var waited = waits[1].GetProperty("timestamp").GetDateTimeOffset() - waits[0].GetProperty("timestamp").GetDateTimeOffset();
        Assert.True(waited >= TimeSpan.FromMilliseconds(CrashWorkflows.DelayMs), $"{where}: waited {waited.TotalMilliseconds} ms");
    }

    private static async Task<List<JsonElement>> ReadToEndAsync(Client client, string runId)
    {
        List<JsonElement> events = [];
        for (var pages = 0; pages < 100; pages++)
        {
            var cursor = events.Count == 0 ? "" : $"&lastSequence={events.Count - 1}";
            var page = await client.GetAsync($"/v1/runs/{runId}/events/poll?timeout=20{cursor}");
            events.AddRange(page.GetProperty("events").EnumerateArray());
            if (page.GetProperty("isComplete").GetBoolean())
                return events;
        }

        throw new TimeoutException($"{runId} does not end: {events.LastOrDefault()}");
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!condition())
            await Task.Delay(5, limit.Token);
    }

    /// <summary>Where the host is now; callers wait while it is down.</summary>
    private sealed class CurrentHost(Uri first)
    {
        private TaskCompletionSource<Uri> _url = Completed(first);

        public Task<Uri> GetAsync() => Volatile.Read(ref _url).Task;

        public void Leave() => Volatile.Write(ref _url, new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously));

        public void Enter(Uri url) => _url.SetResult(url);

        private static TaskCompletionSource<Uri> Completed(Uri url)
        {
            var completed = new TaskCompletionSource<Uri>();
            completed.SetResult(url);
            return completed;
        }
    }
}
