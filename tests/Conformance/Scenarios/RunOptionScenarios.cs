using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Options of a run: each reserved key has its range, and what was given is kept as it was.</summary>
internal static class RunOptionScenarios
{
    private const string Section = "Run options";
    private const string Noop = "conformance-noop";
    private static readonly Gate Fixture = Gate.Fixtures(Noop);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Reserved options out of their range are refused", Fixture, async suite =>
        {
            foreach (var configurable in new[]
            {
                """{"recursionLimit":0}""", """{"recursionLimit":1.5}""", """{"recursionLimit":"3"}""", """{"model":""}""", """{"temperature":2.1}""", """{"temperature":-0.1}""",
                """{"maxTokens":0}""", """{"promptOverrides":{"p":1}}""", """{"promptOverrides":[]}""", """{"runTimeoutMs":"soon"}""",
            })
            {
                (await suite.Host.SendAsync("POST", "/v1/runs", $$"""{"workflowId":"{{Noop}}","configurable":{{configurable}}}""")).Expecting(400, "validation_error");
            }
        }),
        new(Section, "Options are kept as they were given, whatever their spelling", Fixture, async suite =>
        {
            const string Configurable = """{"temperature":0.70,"acme.level":12345678901234567890,"model":"m"}""";
            var run = Suite.RunIdOf((await suite.Host.SendAsync("POST", "/v1/runs", $$"""{"workflowId":"{{Noop}}","configurable":{{Configurable}}}""")).Expecting(201));
            var kept = (await suite.SnapshotAsync(run)).GetProperty("configurable");
            Expect.Equal("12345678901234567890", kept.GetProperty("acme.level").GetRawText(), "an integer of twenty digits");
            Expect.Equal("m", kept.GetProperty("model").GetString(), "model");
        }),
        new(Section, "The length of a tag counts characters, not bytes", Fixture, async suite =>
        {
            var astral = string.Concat(Enumerable.Repeat("\U0001F600", 256));
            await TagsAsync(suite, 201, [astral, "plain", "plain"]);
            await TagsAsync(suite, 400, [astral + "x"]);
            await TagsAsync(suite, 400, [""]);
            await TagsAsync(suite, 201, Enumerable.Repeat("t", 100));
            await TagsAsync(suite, 400, Enumerable.Repeat("t", 101));
        }),
        new(Section, "A tenant in the body changes nothing", Fixture.And(Gate.OtherTenantKey), async suite =>
        {
            var run = Suite.RunIdOf((await suite.Host.PostAsync("/v1/runs", new { workflowId = Noop, tenantId = "conformance-tenant" })).Expecting(201));
            await suite.UntilAsync(run, "completed");
            (await suite.OtherTenant!.GetAsync($"/v1/runs/{run}")).Expecting(404, "not_found");
        }),
    ];

    private static async Task TagsAsync(Suite suite, int status, IEnumerable<string> tags) =>
        (await suite.Host.SendAsync("POST", "/v1/runs", JsonSerializer.Serialize(new { workflowId = Noop, tags }))).Expecting(status, status == 400 ? "validation_error" : null);
}
