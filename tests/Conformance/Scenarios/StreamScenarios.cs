using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.6: following a run.</summary>
internal static class StreamScenarios
{
    private const string Section = "7.6 Streaming";
    private const string Delay = "conformance-delay";
    private static readonly Gate Fixture = Gate.Fixtures(Delay);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Text of a model comes chunk by chunk", Gate.Fixtures("conformance-stream-text").And(Gate.Family("testing.mockProviders")), async suite =>
        {
            string[] tokens = ["one", " two", " three"];
            var mock = new { mockProvider = new { id = "stream-text", config = new { tokens, delayMsPerToken = 5, finishReason = "stop" } } };
            var runId = await suite.CreateAsync("conformance-stream-text", null, mock);
            var frames = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages")).Frames;
            var chunks = frames.Select(frame => frame.Data).ToList();
            Expect.That(frames.All(frame => frame.Event == "ai.message.chunk"), "Other frames than ai.message.chunk");
            Expect.Sequence(tokens, chunks.Select(chunk => chunk.GetProperty("chunk").GetString()!), "chunks");
            Expect.Sequence([false, false, true], chunks.Select(chunk => chunk.GetProperty("isLast").GetBoolean()), "isLast");
            Expect.That(chunks.All(chunk => chunk.GetProperty("runId").GetString() == runId && chunk.GetProperty("nodeId").GetString() == "ai"), "runId and nodeId");
            var meta = chunks[^1].GetProperty("meta");
            Expect.Equal("stop", meta.GetProperty("finishReason").GetString(), "meta.finishReason");
            Expect.Equal(tokens.Length, meta.GetProperty("usage").GetProperty("completionTokens").GetInt32(), "meta.usage.completionTokens");
            Expect.Equal("completed", await suite.StatusAsync(runId), "status");
        }),
        new(Section, "A mock provider that does not exist is refused", Gate.Fixtures("conformance-stream-text").And(Gate.Family("testing.mockProviders")), async suite =>
            Expect.Equal("unsupported_mock_provider", (await suite.Host.PostAsync("/v1/runs", Suite.Body("conformance-stream-text", null, new { mockProvider = new { id = "unheard-of" } }))).Expecting(400).Json.GetProperty("error").GetString(), "error")),
        new(Section, "Updates go from start to end, and the host closes", Fixture, async suite =>
        {
            var reading = (await FollowAsync(suite, "updates", delayMs: 1000)).Ended();
            var types = reading.Types.ToList();
            Expect.That(types[0] == "run.started" && types[^1] == "run.completed", string.Join(", ", types));
        }),
        new(Section, "Updates are the default", Fixture, async suite =>
        {
            var runId = await suite.CompleteAsync(Delay, new { delayMs = 50 });
            var plain = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events")).Ended();
            var updates = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=updates")).Ended();
            Expect.Sequence(updates.Frames.Select(frame => frame.Data.GetRawText()), plain.Frames.Select(frame => frame.Data.GetRawText()), "frames");
        }),
        new(Section, "Values are snapshots, and the host closes", Fixture, async suite =>
        {
            var reading = (await FollowAsync(suite, "values", delayMs: 300)).Ended();
            Expect.That(reading.Frames.Count > 0 && reading.Types.All(type => type == "state.snapshot"), "frames of values");
            Expect.Equal("completed", reading.Frames[^1].Data.GetProperty("status").GetString(), "last status");
        }),
        new(Section, "Debug shows everything in the log, once and in order", Fixture, async suite =>
        {
            var runId = await suite.CreateAsync(Delay, new { delayMs = 300 });
            var reading = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=debug")).Ended();
            Expect.Sequence((await suite.EventsAsync(runId)).Select(document => document.GetRawText()), reading.Frames.Select(frame => frame.Data.GetRawText()), "frames");
        }),
        new(Section, "Messages of a run without a model are none, and the host closes", Fixture, async suite =>
            Expect.Equal(0, (await FollowAsync(suite, "messages", delayMs: 200)).Ended().Frames.Count, "frames")),
        new(Section, "Modes can be mixed", Fixture, async suite =>
        {
            var runId = await suite.CompleteAsync(Delay, new { delayMs = 100 });
            var mixed = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=updates,messages")).Ended();
            var updates = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=updates")).Ended();
            Expect.That(updates.Types.All(mixed.Types.Contains), "The mixture lacks updates.");
            var both = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=updates,debug")).Ended();
            Expect.Equal(both.Frames.Count, both.Frames.Select(frame => frame.Sequence).Distinct().Count(), "distinct events");
            Expect.That(both.Frames.Count >= updates.Frames.Count, "updates,debug has fewer frames than updates");
        }),
        new(Section, "A mode that does not exist, or does not mix, is refused", Fixture, UnsupportedModesAsync),
        new(Section, "A buffer makes batches", Fixture, async suite =>
        {
            var runId = await suite.CreateAsync(Delay, new { delayMs = 600 });
            var reading = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?bufferMs=200")).Ended();
            Expect.That(reading.Frames.Count > 0 && reading.Types.All(type => type == "batch"), string.Join(", ", reading.Types));
            var types = reading.Frames.SelectMany(frame => Suite.TypesOf(frame.Data.EnumerateArray())).ToList();
            Expect.That(types[0] == "run.started" && types[^1] == "run.completed", string.Join(", ", types));
        }),
        new(Section, "The end of a run does not wait for the buffer", Fixture, async suite =>
        {
            var runId = await suite.CreateAsync(Delay);
            var reading = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?bufferMs=4000")).Ended();
            Expect.InTime(reading.Elapsed < TimeSpan.FromSeconds(2), $"The stream took {reading.Elapsed.TotalSeconds:0.0} s.");
        }),
        new(Section, "A suspension does not wait for the buffer", Gate.Fixtures("conformance-approval"), async suite =>
        {
            var runId = await suite.CreateAsync("conformance-approval");
            var reading = await suite.Host.StreamAsync($"/v1/runs/{runId}/events?bufferMs=5000", leaveAfter: TimeSpan.FromSeconds(2));
            Expect.InTime(reading.Frames.Count > 0, "Nothing came while the run waited.");
            await InterruptScenarios.CancelAsync(suite, runId);
        }),
        new(Section, "A buffer of nothing is none, one out of range is refused", Fixture, async suite =>
        {
            var runId = await suite.CompleteAsync(Delay, new { delayMs = 50 });
            Expect.That(!(await suite.Host.StreamAsync($"/v1/runs/{runId}/events?bufferMs=0")).Ended().Types.Contains("batch"), "bufferMs=0 makes batches");
            foreach (var bad in new[] { "99999", "-1", "soon", "5001" })
                (await suite.Host.GetAsync($"/v1/runs/{runId}/events?bufferMs={bad}")).Expecting(400, "validation_error");
        }),
        new(Section, "A stream that broke goes on after the last event", Gate.Fixtures("conformance-cancellable"), ReconnectAsync),
        new(Section, "A stream of a finished run goes on after the last event, and ends", Gate.Fixtures("conformance-noop"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-noop");
            var all = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events")).Ended();
            foreach (var (frame, index) in all.Frames.Select((frame, index) => (frame, index)))
            {
                var rest = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events", null, ("Last-Event-ID", $"{frame.Sequence}"))).Ended();
                Expect.Sequence(all.Frames.Skip(index + 1).Select(item => item.Sequence), rest.Frames.Select(item => item.Sequence), "frames after the last event");
            }
        }),
        new(Section, "A poll starts at the beginning, or after a sequence", Gate.Fixtures("conformance-noop"), PollAsync),
        new(Section, "A poll waits for the next event", Fixture, async suite =>
        {
            var runId = await suite.CreateAsync(Delay, new { delayMs = 2500 });
            await suite.UntilAsync(runId, "running");
            var last = (await suite.EventsAsync(runId)).Count - 1;
            var page = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll?lastSequence={last}&timeout=20")).Expecting(200).Json;
            Expect.That(page.GetProperty("events").GetArrayLength() > 0, "The poll came back with nothing.");
            Expect.Equal(last + 1, page.GetProperty("events")[0].GetProperty("sequence").GetInt32(), "first sequence");
        }),
    ];

    private static async Task<EventStreamReading> FollowAsync(Suite suite, string mode, int delayMs)
    {
        var runId = await suite.CreateAsync(Delay, new { delayMs });
        return await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode={mode}");
    }

    private static async Task UnsupportedModesAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync(Delay, new { delayMs = 50 });
        foreach (var mode in new[] { "bogus", "values,updates", "updates,bogus", "updates,", "" })
        {
            var reply = (await suite.Host.GetAsync($"/v1/runs/{runId}/events?streamMode={mode}")).Expecting(400, "unsupported_stream_mode");
            var supported = reply.Details.GetProperty("supported");
            Expect.That(supported.ValueKind == JsonValueKind.Array && supported.EnumerateArray().Any(name => name.ValueEquals("updates")), "details.supported");
        }
    }

    private static async Task ReconnectAsync(Suite suite)
    {
        var runId = await suite.CreateAsync("conformance-cancellable", new { delayMs = 4000 });
        var first = await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=debug", leaveAfter: TimeSpan.FromMilliseconds(400));
        Expect.InTime(!first.EndedByHost && first.Frames.Count > 0, "The first stream should have been left in the middle.");
        var last = first.Frames[^1].Sequence!.Value;
        var rest = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=debug", null, ("Last-Event-ID", $"{last}"))).Ended();
        Expect.Equal(last + 1, rest.Frames[0].Sequence, "first sequence after the break");
        var all = await suite.EventsAsync(runId);
        Expect.Sequence(
            all.Select(document => document.GetRawText()),
            first.Frames.Concat(rest.Frames).Select(frame => frame.Data.GetRawText()),
            "both parts together");
        Expect.Equal("completed", await suite.StatusAsync(runId), "status");
    }

    private static async Task PollAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync("conformance-noop");
        var all = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll")).Expecting(200).Json;
        var count = all.GetProperty("events").GetArrayLength();
        Expect.That(all.GetProperty("isComplete").GetBoolean() && all.GetProperty("isTerminal").GetBoolean(), "isComplete and isTerminal");
        Expect.Equal("completed", all.GetProperty("runStatus").GetString(), "runStatus");
        Expect.Equal(count - 1, all.GetProperty("lastEventSeq").GetInt32(), "lastEventSeq");

        var rest = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll?lastSequence=0")).Expecting(200).Json;
        Expect.Equal(count - 1, rest.GetProperty("events").GetArrayLength(), "events after sequence 0");
        foreach (var cursor in new[] { count - 1, 9999 })
        {
            var beyond = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll?lastSequence={cursor}")).Expecting(200).Json;
            Expect.Equal(0, beyond.GetProperty("events").GetArrayLength(), $"events after sequence {cursor}");
        }

        (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll?lastSequence=x")).Expecting(400, "validation_error");
    }
}
