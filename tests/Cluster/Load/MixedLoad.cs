using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>
/// Many clients that create runs, answer, cancel, pause and follow them through all gateways while something goes wrong; afterwards
/// everything that was acknowledged is checked.
/// </summary>
internal sealed class MixedLoad : IDisposable
{
    private const int Clients = 12;

    private readonly ClusterFixture _fixture;
    private readonly ITestOutputHelper _output;
    private readonly IReadOnlyList<Work> _mix;
    private readonly string _label = Guid.NewGuid().ToString("N")[..8];
    private readonly ConcurrentDictionary<int, string> _acknowledged = new();
    private readonly ConcurrentDictionary<int, Task<(List<JsonElement> Events, int Resumptions)>> _followed = new();

    public MixedLoad(ClusterFixture fixture, ITestOutputHelper output)
    {
        _fixture = fixture;
        _output = output;
        _mix = Work.Mix(fixture.Effects.Url);
        Gateways = new Gateways(fixture.Cluster.Of("gateway"));
        Random = FaultSeed.Next(output);
    }

    public Gateways Gateways { get; }

    /// <summary>For the faults; one thread only.</summary>
    public Random Random { get; }

    public int Acknowledged => _acknowledged.Count;

    /// <summary>How long creations took, repetitions included, and how old events were when they came over a stream, in milliseconds.</summary>
    public Latencies Creation { get; } = new();

    public Latencies Delivery { get; } = new();

    /// <summary>Runs the load, the faults with it, and checks the outcome.</summary>
    /// <param name="runs">Runs to create.</param>
    /// <param name="faults">Called when a part of the runs exists, spread over the load; each is waited for.</param>
    public async Task RunAsync(int runs, params IReadOnlyList<Func<Task>> faults)
    {
        await PrepareAsync();
        var started = Stopwatch.GetTimestamp();
        var next = -1;
        var clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            for (var index = Interlocked.Increment(ref next); index < runs; index = Interlocked.Increment(ref next))
                await LiveAsync(index);
        })));
        for (var i = 0; i < faults.Count; i++)
        {
            var target = (i + 1) * runs / (faults.Count + 1);
            while (Acknowledged < target && !clients.IsCompleted)
                await Task.Delay(5);

            await Task.Delay(Random.Next(0, 100));
            await faults[i]();
        }

        await clients;
        var acknowledged = Stopwatch.GetElapsedTime(started);
        await CheckAsync(runs);
        _output.WriteLine(
            $"{runs} runs, all acknowledged after {acknowledged.TotalSeconds:F1} s and over after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s; "
            + $"{_followed.Count} streams, resumed {_followed.Values.Sum(stream => stream.Result.Resumptions)} times");
    }

    public void Dispose() => Gateways.Dispose();

    /// <summary>Stores the workflows.</summary>
    public async Task PrepareAsync()
    {
        foreach (var work in _mix)
            await Gateways.CallAsync("PUT", "/v1/workflows/" + work.WorkflowId, work.Definition);
    }

    /// <summary>Brings everything back and checks that all runs exist once, and are what they should be.</summary>
    public async Task CheckAsync(int runs)
    {
        await _fixture.HealAsync();
        Assert.Equal(runs, _acknowledged.Values.Distinct().Count());
        await Parallel.ForEachAsync(_acknowledged, new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (run, _) => await CheckAsync(run.Key, run.Value));
    }

    private Work WorkOf(int index) => _mix[index % _mix.Count];

    private string LabelOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{_label}-{index}");

    /// <summary>The life of one run as its client sees it; returns when everything that the client wanted is acknowledged.</summary>
    public async Task LiveAsync(int index)
    {
        var work = WorkOf(index);
        var key = LabelOf(index);
        var asked = Stopwatch.GetTimestamp();
        var created = await Gateways.CallAsync("POST", "/v1/runs", $$"""{"workflowId":"{{work.WorkflowId}}","inputs":{"label":"{{key}}"} }""", key);
        var runId = created.Body.GetProperty("runId").GetString()!;
        Creation.Add(Stopwatch.GetElapsedTime(asked));
        _acknowledged[index] = runId;
        if (index % 3 == 0)
            _followed[index] = Follower.FollowAsync(Gateways, runId, (uint)index, @event => Delivery.Add(DateTimeOffset.UtcNow - @event.GetProperty("timestamp").GetDateTimeOffset()));

        switch (work.Purpose)
        {
            case Purpose.Approved:
                await UntilAsync(runId, "waiting-approval");
                await Gateways.CallAsync("POST", $"/v1/runs/{runId}/interrupts/gate", """{"resumeValue":{"action":"accept"} }""", key + "-answer", IsDone);
                break;
            case Purpose.Cancelled:
                await Gateways.CallAsync("POST", $"/v1/runs/{runId}/cancel", "{}", key + "-cancel");
                break;
            case Purpose.Paused:
                await Gateways.CallAsync("POST", $"/v1/runs/{runId}:pause", """{"drainPolicy":"immediate"}""", key + "-pause", IsDone);
                await Gateways.CallAsync("POST", $"/v1/runs/{runId}:resume", "{}", key + "-resume", IsDone);
                break;
        }
    }

    /// <summary>The first attempt got through although nobody said so, or the run was quicker.</summary>
    private static bool IsDone(int status, string? code) => code is "interrupt_already_resolved" or "run_not_paused" or "run_not_pausable" or "run_terminal";

    private async Task UntilAsync(string runId, string status)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await Gateways.GetAsync("/v1/runs/" + runId)).GetProperty("status").GetString() != status)
            await Task.Delay(20, limit.Token);
    }

    private async Task CheckAsync(int index, string runId)
    {
        var work = WorkOf(index);
        var where = $"run {index} ({work.WorkflowId}, {runId})";
        var log = await ReadToEndAsync(runId);

        // The log: no gap, one end, the right one.
        Assert.Equal(Enumerable.Range(0, log.Count).Select(sequence => (long)sequence), log.Select(@event => @event.GetProperty("sequence").GetInt64()));
        Assert.True(log.Count(@event => Follower.IsTerminal(TypeOf(@event))) == 1, $"{where}: not one terminal event");
        Assert.True(TypeOf(log[^1]) == "run." + work.ExpectedStatus, $"{where}: {log[^1]}");

        // The snapshot is the fold of the log: the one that is stored, and the one that a stream of values ends with.
        var snapshot = await Gateways.GetAsync("/v1/runs/" + runId);
        Assert.Equal(work.ExpectedStatus, snapshot.GetProperty("status").GetString());
        Assert.True(JsonElement.DeepEquals(snapshot, await LastValueAsync(runId)), $"{where}: the stored snapshot differs from the fold of the log");

        if (_followed.TryGetValue(index, out var stream))
            Assert.Equal(log.Select(@event => @event.GetRawText()), (await stream).Events.Select(@event => @event.GetRawText()));

        foreach (var call in work.Calls)
        {
            Assert.True(_fixture.Effects.Calls.TryGetValue($"{LabelOf(index)}-{call}", out var keys), $"{where}: call '{call}' was never made");
            Assert.True(keys.Count == 1, $"{where}: call '{call}' came with the keys {string.Join(", ", keys.Keys)}");
        }
    }

    private async Task<List<JsonElement>> ReadToEndAsync(string runId)
    {
        List<JsonElement> events = [];
        for (var pages = 0; pages < 100; pages++)
        {
            var cursor = events.Count == 0 ? "" : $"&lastSequence={events.Count - 1}";
            var page = await Gateways.GetAsync($"/v1/runs/{runId}/events/poll?timeout=10{cursor}");
            events.AddRange(page.GetProperty("events").EnumerateArray());
            if (page.GetProperty("isComplete").GetBoolean())
                return events;

            if (pages > 5)
                break;
        }

        throw new TimeoutException($"{runId} does not end: {events.LastOrDefault()}");
    }

    private async Task<JsonElement> LastValueAsync(string runId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/runs/{runId}/events?streamMode=values");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await Gateways.Client(0).SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return JsonElement.Parse(text.Split("data: ")[^1]);
    }

    private static string? TypeOf(JsonElement @event) => @event.GetProperty("type").GetString();
}
