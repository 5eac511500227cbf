using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.8: limits, channels and options of workflows.</summary>
internal static class LimitScenarios
{
    private const string Section = "7.8 Limits and channels";
    private const string CapBreach = "conformance-cap-breach";
    private const string Configurable = "conformance-configurable-schema";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A run ends when it executes more nodes than it may", Gate.Fixtures(CapBreach), CapBreachAsync),
        new(Section, "A run within its limit completes", Gate.Fixtures(CapBreach), async suite =>
        {
            await suite.CompleteAsync(CapBreach);
            await suite.CompleteAsync(CapBreach, configurable: new { recursionLimit = 6 });
        }),
        new(Section, "A run ends when it takes longer than it may", Gate.Family("limits.maxRunDurationMs").And(Gate.Fixtures("conformance-run-duration-breach")), DurationAsync),
        new(Section, "A run may not ask for more time than there is", Gate.Family("limits.maxRunDurationMs").And(Gate.Fixtures("conformance-noop")), async suite =>
        {
            (await suite.Host.PostAsync("/v1/runs", Suite.Body("conformance-noop", null, new { runTimeoutMs = "long" }))).Expecting(400, "validation_error");
            Expect.That(suite.Advertised["limits", "maxRunDurationMs"].GetInt64() >= 1000, "limits.maxRunDurationMs");
        }),
        new(Section, "Entries of a channel expire", Gate.Fixtures("conformance-channel-ttl"), ChannelTtlAsync),
        new(Section, "Writes to a channel have an order", Gate.Fixtures("conformance-channel-ttl"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-channel-ttl");
            var written = Suite.OfType(await suite.EventsAsync(runId), "channel.written").ToList();
            Expect.Sequence(["a", "b", "c", "d"], written.Select(document => document.GetProperty("payload").GetProperty("value").GetProperty("value").ToString()), "written values");
            Expect.That(written.All(document => document.GetProperty("payload").GetProperty("value").GetProperty("_ts").GetInt64() > 0), "An entry that expires has no time.");
            Expect.That(written.All(document => document.GetProperty("payload").GetProperty("channel").ValueEquals("events")), "channel");
        }),
        new(Section, "Options of a workflow have its schema", Gate.Fixtures(Configurable), async suite =>
        {
            var definition = (await suite.Host.GetAsync($"/v1/workflows/{Configurable}")).Expecting(200).Json;
            Expect.Equal(JsonValueKind.Object, definition.GetProperty("configurableSchema").ValueKind, "configurableSchema");
            (await suite.Host.PostAsync("/v1/runs", Suite.Body(Configurable, null, new { unknownKey = 1 }))).Expecting(400, "validation_error");
            (await suite.Host.PostAsync("/v1/runs", Suite.Body(Configurable, null, new { tags = "no list" }))).Expecting(400, "validation_error");
            await suite.CompleteAsync(Configurable, configurable: new { recursionLimit = 10, tags = new[] { "a" } });
        }),
        new(Section, "Messages of a channel are unique by their id", Gate.Family("agents.supported").And(Gate.Fixtures("conformance-message-reducer")), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-message-reducer");
            var messages = (await suite.SnapshotAsync(runId)).GetProperty("channels").GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("messageId").GetString()).ToList();
            Expect.Equal(messages.Count, messages.Distinct().Count(), "distinct messages");
        }),
    ];

    private static async Task CapBreachAsync(Suite suite)
    {
        var runId = await suite.CreateAsync(CapBreach, configurable: new { recursionLimit = 3 });
        var snapshot = await suite.UntilAsync(runId, "failed");
        Expect.Equal("recursion_limit_exceeded", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");

        var events = await suite.EventsAsync(runId);
        Expect.Equal(3, Suite.OfType(events, "node.started").Count(), "number of started nodes");
        var breach = Suite.OfType(events, "cap.breached").Single().GetProperty("payload");
        Expect.Equal("node-executions", breach.GetProperty("kind").GetString(), "kind");
        Expect.Equal(3, breach.GetProperty("limit").GetInt64(), "limit");
        Expect.That(breach.GetProperty("observed").GetInt64() > 3, "observed");
        var types = Suite.TypesOf(events).ToList();
        Expect.That(types.IndexOf("cap.breached") < types.IndexOf("run.failed"), "cap.breached comes after the end");
    }

    private static async Task DurationAsync(Suite suite)
    {
        var runId = await suite.CreateAsync("conformance-run-duration-breach", configurable: new { runTimeoutMs = 1000 });
        var snapshot = await suite.UntilAsync(runId, "failed");
        Expect.Equal("run_timeout", snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
        var breach = Suite.OfType(await suite.EventsAsync(runId), "cap.breached").Single().GetProperty("payload");
        Expect.Equal("run-duration", breach.GetProperty("kind").GetString(), "kind");
        Expect.Equal(1000, breach.GetProperty("limit").GetInt64(), "limit");
        Expect.That(breach.GetProperty("observed").GetInt64() > 1000, "observed");
    }

    private static async Task ChannelTtlAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync("conformance-channel-ttl");
        var entries = (await suite.SnapshotAsync(runId)).GetProperty("variables").GetProperty("events");
        Expect.Equal(1, entries.GetArrayLength(), "number of entries");
        Expect.Equal("d", entries[0].GetProperty("value").GetString(), "value");
        Expect.That(entries[0].GetProperty("_ts").GetDouble() > 0, "_ts");
    }
}
