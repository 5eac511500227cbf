using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.3: runs from their creation to their end.</summary>
internal static class LifecycleScenarios
{
    private const string Section = "7.3 Run lifecycle";
    private const string Noop = "conformance-noop";
    private static readonly string[] Terminal = ["run.completed", "run.failed", "run.cancelled"];

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A run is created with its addresses", Gate.Fixtures(Noop), CreateAsync),
        new(Section, "A run completes and names its workflow", Gate.Fixtures(Noop), async suite =>
        {
            var runId = await suite.CreateAsync(Noop);
            var snapshot = await suite.UntilAsync(runId, "completed", TimeSpan.FromSeconds(5));
            Expect.Equal(runId, snapshot.GetProperty("runId").GetString(), "runId");
            Expect.Equal(Noop, snapshot.GetProperty("workflowId").GetString(), "workflowId");
        }),
        new(Section, "A failing run says why", Gate.Fixtures("conformance-failure"), FailureAsync),
        new(Section, "The log of a run has an order and one end", Gate.Fixtures(Noop), OrderAsync),
        new(Section, "Two readings of a log are the same", Gate.Fixtures(Noop), async suite =>
        {
            var runId = await suite.CompleteAsync(Noop);
            Expect.Sequence((await suite.EventsAsync(runId)).Select(Raw), (await suite.EventsAsync(runId)).Select(Raw), "second reading");
        }),
        new(Section, "The log is also served as one document", Gate.Fixtures(Noop), async suite =>
        {
            var runId = await suite.CompleteAsync(Noop);
            var document = (await suite.Host.GetAsync($"/v1/runs/{runId}/events")).Expecting(200).Json;
            Expect.Sequence((await suite.EventsAsync(runId)).Select(Raw), document.GetProperty("events").EnumerateArray().Select(Raw), "events");
        }),
        new(Section, "Inputs arrive unchanged", Gate.Fixtures("conformance-identity"), IdentityAsync),
        new(Section, "Nodes of a chain complete in its order", Gate.Fixtures("conformance-multi-node"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-multi-node");
            var completed = Suite.OfType(await suite.EventsAsync(runId), "node.completed").Select(document => document.GetProperty("nodeId").GetString()!);
            Expect.Sequence(["a", "b", "c"], completed, "completed nodes");
        }),
        new(Section, "Tags, metadata and options are kept", Gate.Fixtures(Noop), OptionsAsync),
        new(Section, "A delay shows as a running run", Gate.Fixtures("conformance-delay"), async suite =>
        {
            var runId = await suite.CreateAsync("conformance-delay", new { delayMs = 2500 });
            await suite.UntilAsync(runId, "running");
            await suite.UntilAsync(runId, "completed");
        }),
    ];

    private static string Raw(JsonElement document) => document.GetRawText();

    private static async Task CreateAsync(Suite suite)
    {
        // Inputs that no workflow declares, and a tenant of its own idea, must not matter.
        var reply = (await suite.Host.PostAsync("/v1/runs", Suite.Body(Noop, new { userSuppliedField = "x", delaySeconds = 3 }))).Expecting(201);
        Expect.That(Suite.RunIdOf(reply) is { Length: > 0 } id && !id.Contains(':', StringComparison.Ordinal), "runId");
        Expect.OneOf(reply.Json.GetProperty("status").GetString(), "status", "pending", "running", "waiting-approval", "waiting-input", "waiting-external");
        foreach (var address in new[] { "eventsUrl", "statusUrl" })
            Expect.That(Uri.TryCreate(reply.Json.GetProperty(address).GetString(), UriKind.Absolute, out _), $"{address} is not absolute");
    }

    private static async Task FailureAsync(Suite suite)
    {
        var runId = await suite.CreateAsync("conformance-failure");
        var error = (await suite.UntilAsync(runId, "failed", TimeSpan.FromSeconds(5))).GetProperty("error");
        Expect.That(error.GetProperty("code").GetString() is { Length: > 0 }, "error.code");
        Expect.That(error.GetProperty("message").GetString() is { Length: > 0 }, "error.message");

        var events = await suite.EventsAsync(runId);
        var types = Suite.TypesOf(events).ToList();
        Expect.That(types[0] == "run.started" && types[^1] == "run.failed" && types.Contains("node.failed"), string.Join(", ", types));
        var failed = Suite.OfType(events, "node.failed").Last().GetProperty("payload");
        Expect.Equal("fail", failed.GetProperty("nodeId").GetString(), "nodeId of node.failed");
        Expect.That(failed.GetProperty("error").GetProperty("code").GetString() is { Length: > 0 }, "error of node.failed");
    }

    private static async Task OrderAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync(Noop);
        var events = await suite.EventsAsync(runId);
        Expect.Sequence(Enumerable.Range(0, events.Count).Select(sequence => (long)sequence), events.Select(document => document.GetProperty("sequence").GetInt64()), "sequences");
        Expect.Equal(events.Count, events.Select(document => document.GetProperty("eventId").GetString()).Distinct().Count(), "distinct event ids");
        Expect.That(events.All(document => document.GetProperty("runId").ValueEquals(runId)), "An event names another run.");
        var types = Suite.TypesOf(events).ToList();
        Expect.Equal("run.started", types[0], "first event");
        Expect.Equal(1, types.Count(Terminal.Contains), "number of terminal events");
        Expect.That(Terminal.Contains(types[^1]), "The terminal event is not the last one.");
    }

    private static async Task IdentityAsync(Suite suite)
    {
        var payload = new { text = "grüße", number = 12.5, whole = 9_007_199_254_740_993, nothing = (object?)null, flag = true, list = new object[] { 1, "two", new { three = 3 } } };
        var runId = await suite.CompleteAsync("conformance-identity", new { payload });
        var arrived = (await suite.SnapshotAsync(runId)).GetProperty("variables").GetProperty("payload");
        Expect.That(JsonElement.DeepEquals(JsonSerializer.SerializeToElement(payload), arrived), $"variables.payload is {arrived.GetRawText()}");
    }

    private static async Task OptionsAsync(Suite suite)
    {
        var body = new { workflowId = Noop, tags = new[] { "a", "b" }, metadata = new { ticket = 7 }, configurable = new { recursionLimit = 5 } };
        var runId = Suite.RunIdOf((await suite.Host.PostAsync("/v1/runs", body)).Expecting(201));
        var snapshot = await suite.UntilAsync(runId, "completed");
        Expect.Sequence(["a", "b"], snapshot.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()), "tags");
        Expect.Equal(7, snapshot.GetProperty("metadata").GetProperty("ticket").GetInt32(), "metadata.ticket");
        Expect.Equal(5, snapshot.GetProperty("configurable").GetProperty("recursionLimit").GetInt32(), "configurable.recursionLimit");
        (await suite.Host.PostAsync("/v1/runs", new { workflowId = Noop, tags = new[] { new string('x', 257) } })).Expecting(400, "validation_error");
        (await suite.Host.PostAsync("/v1/runs", new { workflowId = Noop, configurable = new { recursionLimit = 0 } })).Expecting(400, "validation_error");
    }
}
