using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Artifacts, differences and ancestry: what is read of a run besides its snapshot and its events.</summary>
internal static class RunDocumentScenarios
{
    private const string Section = "7.12 Routes and versions";
    private const string Noop = "conformance-noop";

    private const string Artifact = """
        {"id":"conformance-artifact","name":"Makes an artifact","version":"1.0","nodes":[
         {"id":"report","typeId":"core.artifact.create","name":"Report","position":{"x":0,"y":0},"config":{"artifactType":"report","data":{"text":"found nothing"}},"inputs":{}}],
         "edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}
        """;

    private static readonly Gate Ancestry = Gate.Family("multiAgent.executionModel.crossHostCausation.ancestryEndpointSupported");

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Whoever has no credential learns nothing about artifacts", Gate.Base, async suite =>
            (await suite.Anonymous.GetAsync("/v1/runs/run-that-never-was/artifacts/none")).Expecting(401, "unauthenticated")),
        new(Section, "Artifacts take a scope of their own", Gate.LowScopeKey.And(Gate.Fixtures(Noop)), async suite =>
            (await suite.LowScope!.GetAsync($"/v1/runs/{await suite.CompleteAsync(Noop)}/artifacts/none")).Expecting(403, "forbidden")),
        new(Section, "An artifact that a run has not made is not found", Gate.Fixtures(Noop), async suite =>
            (await suite.Host.GetAsync($"/v1/runs/{await suite.CompleteAsync(Noop)}/artifacts/none")).Expecting(404, "not_found")),
        new(Section, "An artifact can be read by itself", new("putWorkflow", static suite => suite.Contract.Describes("putWorkflow")), async suite =>
        {
            (await suite.Host.SendAsync("PUT", "/v1/workflows/conformance-artifact", Artifact)).Expecting(200, 201);
            var runId = await suite.CompleteAsync("conformance-artifact");
            var created = Suite.OfType(await suite.EventsAsync(runId), "artifact.created").Single().GetProperty("payload");
            Expect.That(!created.TryGetProperty("data", out _), "The event does not hold the data.");
            var artifact = (await suite.Host.GetAsync($"/v1/runs/{runId}/artifacts/{created.GetProperty("artifactId").GetString()}")).Expecting(200).Json;
            Expect.Equal("report", artifact.GetProperty("artifactType").GetString(), "type");
            Expect.Equal("found nothing", artifact.GetProperty("data").GetProperty("text").GetString(), "data");
        }),
        new(Section, "Two runs of the same workflow that did the same do not differ", Ancestry.And(Gate.Fixtures(Noop)), async suite =>
        {
            var (a, b) = (await suite.CompleteAsync(Noop), await suite.CompleteAsync(Noop));
            var diff = (await suite.Host.GetAsync($"/v1/runs/{a}:diff?against={b}")).Expecting(200).Json;
            WireContract.Validate("run-diff-response", diff, "a diff");
            Expect.Equal(JsonValueKind.Null, diff.GetProperty("divergedAtSeq").ValueKind, "divergedAtSeq");
            Expect.Equal(0, diff.GetProperty("eventDiffs").GetArrayLength(), "differences");
        }),
        new(Section, "A comparison says where two runs part", Ancestry.And(Gate.Fixtures(Noop, "conformance-multi-node")), async suite =>
        {
            var (a, b) = (await suite.CompleteAsync(Noop), await suite.CompleteAsync("conformance-multi-node"));
            var diff = (await suite.Host.GetAsync($"/v1/runs/{a}:diff?against={b}")).Expecting(200).Json;
            WireContract.Validate("run-diff-response", diff, "a diff");
            Expect.Equal(JsonValueKind.Number, diff.GetProperty("divergedAtSeq").ValueKind, "divergedAtSeq");
            Expect.That(diff.GetProperty("eventDiffs").EnumerateArray().Any(item => item.GetProperty("op").ValueEquals("added") && !item.TryGetProperty("aEvent", out _)), "events that only the second run has");
        }),
        new(Section, "A comparison needs another run", Ancestry.And(Gate.Fixtures(Noop)), async suite =>
        {
            var runId = await suite.CompleteAsync(Noop);
            (await suite.Host.GetAsync($"/v1/runs/{runId}:diff")).Expecting(400, "validation_error");
            (await suite.Host.GetAsync($"/v1/runs/{runId}:diff?against=run-that-never-was")).Expecting(404, 403);
        }),
        new(Section, "A run at the top has no parent, a child names its own", Ancestry.And(Gate.Fixtures("conformance-subworkflow-parent")), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-subworkflow-parent");
            var top = (await suite.Host.GetAsync($"/v1/runs/{runId}/ancestry")).Expecting(200).Json;
            WireContract.Validate("run-ancestry-response", top, "an ancestry");
            Expect.Equal(JsonValueKind.Null, top.GetProperty("parent").ValueKind, "parent of the run at the top");

            var childId = (await suite.SnapshotAsync(runId)).GetProperty("childRuns")[0].GetProperty("runId").GetString();
            var child = (await suite.Host.GetAsync($"/v1/runs/{childId}/ancestry")).Expecting(200).Json;
            WireContract.Validate("run-ancestry-response", child, "an ancestry");
            Expect.Equal(runId, child.GetProperty("parent").GetProperty("runId").GetString(), "parent");
            Expect.Equal("core.subWorkflow", child.GetProperty("parent").GetProperty("cause").GetString(), "cause");
            Expect.Equal(suite.Advertised["multiAgent", "executionModel", "crossHostCausation", "hostId"].GetString(), child.GetProperty("hostId").GetString(), "hostId");
        }),
    ];
}
