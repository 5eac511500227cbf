using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Conformance.Driver;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.13: what agents remember beyond a run, for how long, and who may see it.</summary>
internal static class MemoryScenarios
{
    private const string Section = "7.13 Memory";
    private const string RoundTrip = "conformance-agent-memory-roundtrip";
    private const string Redaction = "conformance-agent-memory-redaction";
    private const string Expiry = "conformance-agent-memory-ttl";
    private const string CrossTenant = "conformance-agent-memory-cross-tenant";

    private static readonly Gate LongTerm = new("agents.memoryBackends", static suite => suite.Advertised.Contains("long-term", "agents", "memoryBackends"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "What an agent remembers can be read back", LongTerm.And(Gate.Fixtures(RoundTrip)), async suite =>
        {
            var entry = Variable(await suite.SnapshotAsync(await suite.CompleteAsync(RoundTrip)), "memoryReadback");
            Expect.That(entry.GetProperty("content").GetString()!.Length > 0, "content");
            ExpectEntry(entry);
        }),
        new(Section, "Whatever is remembered is announced, without its content", LongTerm.And(Gate.Family("memory.attribution.emitsWriteEvents")).And(Gate.Fixtures(RoundTrip)), async suite =>
        {
            var run = await suite.CompleteAsync(RoundTrip);
            var entry = Variable(await suite.SnapshotAsync(run), "memoryReadback");
            var written = Suite.OfType(await suite.EventsAsync(run), "memory.written").Single().GetProperty("payload");
            Expect.Equal(entry.GetProperty("id").GetString(), written.GetProperty("memoryId").GetString(), "memoryId");
            Expect.Equal("memory-roundtrip", written.GetProperty("nodeId").GetString(), "nodeId");
            Expect.That(!written.GetRawText().Contains(entry.GetProperty("content").GetString()!, StringComparison.Ordinal), "the content is not part of the event");
        }),
        new(Section, "A replay repeats what was written and writes nothing", LongTerm.And(Gate.Family("replay.supported")).And(Gate.Fixtures(RoundTrip)), async suite =>
        {
            var run = await suite.CompleteAsync(RoundTrip);
            var fork = Suite.RunIdOf((await suite.Host.PostAsync($"/v1/runs/{run}:fork", new { mode = "replay", fromSeq = 0 })).Expecting(201));
            var before = Variable(await suite.SnapshotAsync(run), "memoryReadback");
            var after = Variable(await suite.UntilAsync(fork, "completed"), "memoryReadback");
            Expect.Equal(before.GetRawText(), after.GetRawText(), "what the replay has read");
        }),
        new(Section, "What has expired does not show", LongTerm.And(Gate.Fixtures(Expiry)), async suite =>
        {
            var run = await suite.CompleteAsync(Expiry);
            var entries = Variable(await suite.SnapshotAsync(run), "memoryList").EnumerateArray().ToList();
            Expect.That(entries.Count > 0, "the entry that lives");
            Expect.That(entries.All(entry => !entry.TryGetProperty("expiresAt", out var expiry) || expiry.GetDateTimeOffset() > DateTimeOffset.UtcNow), "entries that live");
            entries.ForEach(ExpectEntry);
        }),
        new(Section, "A name that means another tenant's memory shows nothing", LongTerm.And(Gate.Fixtures(CrossTenant)), async suite =>
            ExpectNothing(await suite.SnapshotAsync(await suite.CompleteAsync(CrossTenant)))),
        new(Section, "The same name is another memory in another tenant", LongTerm.And(Gate.OtherTenantKey).And(Gate.Fixtures(RoundTrip, CrossTenant)), async suite =>
        {
            await suite.CompleteAsync(RoundTrip);
            const string Probe = "conformance-memory-of-others";
            var definition = JsonNode.Parse((await suite.Host.GetAsync($"/v1/workflows/{CrossTenant}")).Expecting(200).Text)!;
            definition["id"] = Probe;
            definition["nodes"]![0]!["config"]!["probeMemoryRef"] = "conformance/agent-memory-roundtrip";
            (await suite.OtherTenant!.SendAsync("PUT", $"/v1/workflows/{Probe}", definition.ToJsonString())).Expecting(200, 201);
            var run = Suite.RunIdOf((await suite.OtherTenant.PostAsync("/v1/runs", Suite.Body(Probe))).Expecting(201));
            ExpectNothing(await UntilCompletedAsync(suite.OtherTenant, run));
        }),
        new(Section, "Secrets do not get into memory", LongTerm.And(Gate.Fixtures(Redaction)), async suite =>
        {
            var entry = Variable(await suite.SnapshotAsync(await suite.CompleteAsync(Redaction)), "memoryReadback");
            Expect.That(entry.GetProperty("content").GetString()!.Contains("[REDACTED:conformance-test-secret]", StringComparison.Ordinal), $"the marker in {entry.GetRawText()}");
        }),
    ];

    private static JsonElement Variable(JsonElement snapshot, string name) => snapshot.GetProperty("variables").GetProperty(name);

    private static void ExpectEntry(JsonElement entry)
    {
        var errors = SchemaRegistry.Published("memory-entry").Validate(entry);
        Expect.That(errors.Count == 0, $"an entry of memory: {entry.GetRawText()}: {string.Join("; ", errors)}");
    }

    private static void ExpectNothing(JsonElement snapshot)
    {
        var probe = snapshot.TryGetProperty("variables", out var variables) && variables.TryGetProperty("crossTenantProbe", out var value) ? value : default;
        Expect.That(probe.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null || (probe.ValueKind == JsonValueKind.Array && probe.GetArrayLength() == 0), $"nothing of others: {snapshot.GetRawText()}");
    }

    private static async Task<JsonElement> UntilCompletedAsync(HostClient caller, string run)
    {
        for (var attempt = 0; ; attempt++)
        {
            var snapshot = (await caller.GetAsync($"/v1/runs/{run}")).Expecting(200).Json;
            if (Suite.StatusOf(snapshot) == "completed")
                return snapshot;

            Expect.That(attempt < 400, $"The run does not complete: {snapshot.GetRawText()}");
            await Task.Delay(25);
        }
    }
}
