using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Workflows that ask language models: what they are told, what it costs, and what is told of it.</summary>
internal static class ModelScenarios
{
    private const string Section = "7.2 Models";

    private static readonly Gate Observed = Gate.Family("aiProviders").And(Gate.StoresWorkflows).And(Gate.StandIns);
    private static readonly object Schema = new { type = "object", required = new[] { "answer" }, properties = new { answer = new { type = "integer" } } };

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "The answer of a model streams chunk by chunk, with its usage", Observed, StreamAsync),
        new(Section, "The answer of a model is in the log and in the snapshot, and so is what it cost", Observed, UsageAsync),
        new(Section, "Output that has to fit a schema is asked for again until it does", Observed, async suite =>
        {
            var (model, snapshot, events) = await StructuredAsync(suite, "json-late", "completed");
            Expect.Equal(42, snapshot.GetProperty("nodeStates").GetProperty("node").GetProperty("outputs").GetProperty("output").GetProperty("answer").GetInt32(), "output.answer");
            Expect.Equal(2, suite.StandIns!.Models.Of(model).Count(), "calls that arrived");
            Expect.Equal(1, Suite.OfType(events, "envelope.retry.attempted").Count(), "number of envelope.retry.attempted");
            Expect.Equal(2, Suite.OfType(events, "provider.usage").Count(), "number of provider.usage");
        }),
        new(Section, "Output that never fits fails the run, after a bounded number of rounds", Observed, async suite =>
        {
            var (_, snapshot, events) = await StructuredAsync(suite, "json-never", "failed");
            Expect.Equal("envelope_invalid", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            Expect.Equal(1, Suite.OfType(events, "envelope.retry.exhausted").Count(), "number of envelope.retry.exhausted");
            Expect.That(Suite.OfType(events, "cap.breached").Single().GetProperty("payload").GetProperty("kind").ValueEquals("schema"), "kind of cap.breached");
        }),
        new(Section, "A refusal is final", Observed, async suite =>
        {
            var (model, snapshot, events) = await StructuredAsync(suite, "refuses", "failed");
            Expect.Equal("envelope_refusal", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            Expect.Equal(1, Suite.OfType(events, "envelope.refusal").Count(), "number of envelope.refusal");
            Expect.Equal(1, suite.StandIns!.Models.Of(model).Count(), "calls that arrived");
        }),
        new(Section, "An answer that is cut off again and again fails the run", Observed, async suite =>
        {
            var (_, snapshot, events) = await StructuredAsync(suite, "cut", "failed");
            Expect.Equal("envelope_truncation_unrecoverable", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            Expect.That(Suite.OfType(events, "envelope.truncated").Any(), "envelope.truncated");
        }),
        new(Section, "A replay asks no model and says the same", Observed, async suite =>
        {
            var model = ModelNamed("replayed");
            var runId = await suite.CompleteAsync(await StoreAsync(suite, model));
            var fork = (await suite.Host.PostAsync($"/v1/runs/{runId}:fork", new { mode = "replay", fromSeq = 0 })).Expecting(201);
            await suite.UntilAsync(Suite.RunIdOf(fork), "completed");
            Expect.Equal(1, suite.StandIns!.Models.Of(model).Count(), "calls that arrived");
            Expect.Sequence(Suite.TypesOf(await suite.EventsAsync(runId)), Suite.TypesOf(await suite.EventsAsync(Suite.RunIdOf(fork))), "types of events");
        }),
        new(Section, "A provider that fails for a moment is asked again", Observed, async suite =>
        {
            var model = ModelNamed("flaky");
            await suite.CompleteAsync(await StoreAsync(suite, model));
            Expect.Equal(2, suite.StandIns!.Models.Of(model).Count(), "calls that arrived");
            Expect.Equal(1, suite.StandIns.Models.Of(model).Select(request => request.IdempotencyKey).Distinct().Count(), "identities of the call");
        }),
    ];

    public static string ModelNamed(string behavior) => $"{behavior}+{Guid.NewGuid():n}";

    private static Task<string> StoreAsync(Suite suite, string model) =>
        suite.StoreAsync("core.ai.callPrompt", new { provider = "openai", model, prompt = "Say hello" });

    private static async Task StreamAsync(Suite suite)
    {
        var runId = await suite.CreateAsync(await StoreAsync(suite, ModelNamed("plain")));
        var frames = (await suite.Host.StreamAsync($"/v1/runs/{runId}/events?streamMode=messages")).Ended().Frames;
        var chunks = frames.Select(frame => frame.Data).ToList();
        Expect.That(frames.All(frame => frame.Event == "ai.message.chunk"), "Other frames than ai.message.chunk");
        Expect.Equal("Hello, world", string.Concat(chunks.Select(chunk => chunk.GetProperty("chunk").GetString())), "text of the chunks");
        Expect.That(chunks.All(chunk => chunk.GetProperty("runId").GetString() == runId && chunk.GetProperty("nodeId").GetString() == "node"), "runId and nodeId");
        Expect.Equal(chunks.Count - 1, chunks.FindIndex(chunk => chunk.GetProperty("isLast").GetBoolean()), "index of the last chunk");
        var usage = chunks[^1].GetProperty("meta").GetProperty("usage");
        Expect.Equal((7, 3), (usage.GetProperty("promptTokens").GetInt32(), usage.GetProperty("completionTokens").GetInt32()), "meta.usage");
        Expect.Equal("completed", await suite.StatusAsync(runId), "status");
    }

    private static async Task UsageAsync(Suite suite)
    {
        var model = ModelNamed("priced");
        var runId = await suite.CompleteAsync(await StoreAsync(suite, model));
        var snapshot = await suite.SnapshotAsync(runId);
        Expect.Equal("Hello, world", snapshot.GetProperty("nodeStates").GetProperty("node").GetProperty("outputs").GetProperty("text").GetString(), "text");

        var usage = Suite.OfType(await suite.EventsAsync(runId), "provider.usage").Single().GetProperty("payload");
        Expect.Equal(("openai", model), (usage.GetProperty("provider").GetString()!, usage.GetProperty("model").GetString()!), "provider and model");
        Expect.Equal((7, 3), (usage.GetProperty("inputTokens").GetInt32(), usage.GetProperty("outputTokens").GetInt32()), "tokens");
        var cost = snapshot.GetProperty("metrics").GetProperty("openwopCost");
        Expect.Equal((7, 3), (cost.GetProperty("tokens").GetProperty("input").GetInt32(), cost.GetProperty("tokens").GetProperty("output").GetInt32()), "tokens of the run");
        Expect.That(Math.Abs(cost.GetProperty("usd").GetDouble() - (((7 * 2.0) + (3 * 10.0)) / 1_000_000)) < 1e-9, $"cost in dollars: {cost.GetRawText()}");
    }

    private static async Task<(string Model, JsonElement Snapshot, List<JsonElement> Events)> StructuredAsync(Suite suite, string behavior, string status)
    {
        var model = ModelNamed(behavior);
        var workflow = await suite.StoreAsync("core.ai.structuredOutput", new { provider = "openai", model, prompt = "The answer", outputSchema = Schema });
        var runId = await suite.CreateAsync(workflow);
        return (model, await suite.UntilAsync(runId, status), await suite.EventsAsync(runId));
    }
}
