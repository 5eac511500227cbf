using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.12: routes and versions.</summary>
internal static class RouteScenarios
{
    private const string Section = "7.12 Routes and versions";
    private const string Noop = "conformance-noop";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A workflow can be read", Gate.Fixtures(Noop), async suite =>
        {
            var definition = (await suite.Host.GetAsync($"/v1/workflows/{Noop}")).Expecting(200).Json;
            Expect.Equal(Noop, definition.GetProperty("id").GetString(), "id");
            Expect.That(definition.GetProperty("nodes").GetArrayLength() > 0, "nodes");
        }),
        new(Section, "What does not exist is not found", Gate.Base, async suite =>
        {
            (await suite.Host.GetAsync("/v1/workflows/workflow-that-never-was")).Expecting(404, "not_found");
            (await suite.Host.GetAsync("/v1/runs/run-that-never-was/artifacts/none")).Expecting(404, 403);
            (await suite.Host.SendAsync("DELETE", "/v1/webhooks/webhook-that-never-was", null)).Expecting(204, 404, 403);
        }),
        new(Section, "A webhook without a proper address is refused", Gate.Base, async suite =>
            Expect.That((await suite.Host.PostAsync("/v1/webhooks", new { url = "no address", events = new[] { "run.completed" } })).Status is >= 400 and < 500, "status of a bad webhook")),
        new(Section, "The protocol version has two parts", Gate.Base, suite =>
        {
            var version = suite.Advertised["protocolVersion"].GetString()!;
            Expect.Equal(2, version.Split('.').Length, $"parts of protocolVersion {version}");
            return Task.CompletedTask;
        }),
        new(Section, "Events have the six members every reader needs", Gate.Fixtures(Noop), async suite =>
        {
            // Each document was checked when it arrived; here is at least one.
            Expect.That((await suite.EventsAsync(await suite.CompleteAsync(Noop))).Count >= 4, "number of events");
        }),
        new(Section, "A forced engine version is honored within its range", Gate.Family("testing.forceEngineVersionRange").And(Gate.Fixtures("conformance-version-fold")), async suite =>
        {
            var max = suite.Advertised["testing", "forceEngineVersionRange", "max"].GetInt32();
            var body = Suite.Body("conformance-version-fold");
            var forced = (await suite.Host.PostAsync("/v1/runs", body, ("X-Force-Engine-Version", $"{max}"))).Expecting(201);
            await suite.UntilAsync(Suite.RunIdOf(forced), "completed");
            (await suite.Host.PostAsync("/v1/runs", body, ("X-Force-Engine-Version", $"{max + 1}"))).Expecting(400, "unsupported_force_engine_version");
        }),
    ];
}
