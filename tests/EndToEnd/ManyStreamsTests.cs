using System.Net.ServerSentEvents;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>A thousand clients watch at once, and none of them misses an event or sees one twice.</summary>
public sealed class ManyStreamsTests
{
    private const int Runs = 50;
    private const int StreamsPerRun = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task A_thousand_streams_at_once_get_every_event_once_and_in_order()
    {
        await using var installation = await Installation.StartAsync(Form.Embedded, ("OPENWOP_RATELIMIT_DISABLED", "true"));
        using var client = new Client(installation.BaseUrl);
        await client.StoreAsync(
            "watched",
            $"[{Client.Node("gate", "core.approvalGate")},{Client.Node("a", "core.noop")},{Client.Node("wait", "core.delay", """{"ms":200}""")},{Client.Node("b", "core.noop")}]",
            """[{"id":"1","sourceNodeId":"gate","targetNodeId":"a"},{"id":"2","sourceNodeId":"a","targetNodeId":"wait"},{"id":"3","sourceNodeId":"wait","targetNodeId":"b"}]""");
        var runs = await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => client.CreateAsync("watched")));

        using var limit = new CancellationTokenSource(Limit);
        var watchers = runs.SelectMany(run => Enumerable.Repeat(run, StreamsPerRun)).Select(run => new Watcher(client, run)).ToList();
        var watching = watchers.ConvertAll(watcher => watcher.ReadAsync(limit.Token));
        await Task.WhenAll(watchers.Select(watcher => watcher.Suspended.WaitAsync(limit.Token)));

        foreach (var run in runs)
        {
            using var resolved = await client.SendAsync("POST", $"/v1/runs/{run}/interrupts/gate", """{"resumeValue":{"action":"accept"}}""");
            Assert.True(resolved.IsSuccessStatusCode, await resolved.Content.ReadAsStringAsync());
        }

        var seen = await Task.WhenAll(watching);
        foreach (var run in runs)
        {
            var log = (await client.GetAsync($"/v1/runs/{run}/events/poll?timeout=1")).GetProperty("events").EnumerateArray().Select(Identity).ToList();
            Assert.StartsWith("run.completed", log[^1].Type, StringComparison.Ordinal);
            Assert.All(seen.Zip(watchers).Where(pair => pair.Second.RunId == run), pair => Assert.Equal(log, pair.First));
        }
    }

    private static (long Sequence, string Type, string Id) Identity(JsonElement document) =>
        (document.GetProperty("sequence").GetInt64(), document.GetProperty("type").GetString()!, document.GetProperty("eventId").GetString()!);

    /// <summary>One stream in a connection of its own.</summary>
    private sealed class Watcher(Client client, string runId)
    {
        private readonly TaskCompletionSource _suspended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string RunId => runId;

        /// <summary>The stream has shown that the run waits: from here on everything comes live.</summary>
        public Task Suspended => _suspended.Task;

        public async Task<List<(long Sequence, string Type, string Id)>> ReadAsync(CancellationToken cancellationToken)
        {
            var seen = new List<(long, string, string)>();
            try
            {
                using var response = await client.SendAsync("GET", $"/v1/runs/{runId}/events?streamMode=debug", headers: ("Accept", "text/event-stream"));
                Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
                await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(cancellationToken)).EnumerateAsync(cancellationToken))
                {
                    seen.Add(Identity(JsonElement.Parse(item.Data)));
                    if (item.EventType == "node.suspended")
                        _suspended.TrySetResult();
                }

                return seen;
            }
            catch (Exception exception)
            {
                _suspended.TrySetException(exception);
                throw;
            }
        }
    }
}
