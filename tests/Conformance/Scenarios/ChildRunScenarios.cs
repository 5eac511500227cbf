using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.5 and 7.8: runs that start other runs.</summary>
internal static class ChildRunScenarios
{
    private const string Section = "7.8 Child runs";
    private const string MidRun = "conformance-subworkflow-mid-run-mutation";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A child run gives its outcome to its parent", Gate.Fixtures("conformance-subworkflow-parent", "conformance-subworkflow-child"), SubWorkflowAsync),
        new(Section, "Inputs of a child come from its parent", Gate.Fixtures("conformance-subworkflow-input-mapping", "conformance-subworkflow-input-mapping-child"), async suite =>
        {
            var parent = await suite.CompleteAsync("conformance-subworkflow-input-mapping");
            var child = await suite.SnapshotAsync(ChildOf(await suite.EventsAsync(parent)));
            Expect.Equal("prd-1", child.GetProperty("variables").GetProperty("receivedPrdId").GetString(), "variables.receivedPrdId of the child");
        }),
        new(Section, "A child keeps its default where its parent has nothing to give", Gate.Fixtures("conformance-subworkflow-input-mapping-no-default", "conformance-subworkflow-input-mapping-child"), async suite =>
        {
            var parent = await suite.CompleteAsync("conformance-subworkflow-input-mapping-no-default");
            var variables = (await suite.SnapshotAsync(ChildOf(await suite.EventsAsync(parent)))).GetProperty("variables");
            Expect.That(!variables.TryGetProperty("receivedPrdId", out var received) || received.ValueEquals("baked-in"), variables.GetRawText());
        }),
        new(Section, "A child that waits keeps what its parent gave it", Gate.Fixtures(MidRun, MidRun + "-child"), async suite =>
        {
            var parent = await InterruptScenarios.WaitingAsync(suite, MidRun, "waiting-approval");
            var child = (await suite.SnapshotAsync(parent)).GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
            (await InterruptScenarios.ResolveAsync(suite.Host, child, "child-gate", new { action = "accept" })).Expecting(200);
            await suite.UntilAsync(parent, "completed");
            Expect.Equal("seeded-id", (await suite.SnapshotAsync(child)).GetProperty("variables").GetProperty("receivedPrdId").GetString(), "variables.receivedPrdId of the child");
        }),
        new(Section, "Cancelling a parent cancels its waiting child", Gate.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"), CascadeAsync),
        new(Section, "A supervisor dispatches until it says that it is done", Gate.Fixtures("conformance-dispatch-loop"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-dispatch-loop");
            var decisions = Suite.OfType(await suite.EventsAsync(runId), "runOrchestrator.decided")
                .Select(document => document.GetProperty("payload").GetProperty("decision").GetProperty("kind").GetString()!);
            Expect.Sequence(["next-worker", "terminate"], decisions, "decisions");
        }),
        new(Section, "A worker that is there to fail fails by itself as well", Gate.Fixtures("conformance-dispatch-deterministic-fail-child"), async suite =>
        {
            var error = (await suite.UntilAsync(await suite.CreateAsync("conformance-dispatch-deterministic-fail-child"), "failed")).GetProperty("error");
            Expect.Equal("hvmap_1b_failed_fixture", error.GetProperty("code").GetString(), "error.code");
        }),
        new(Section, "A worker that is there to be cancelled is cancelled by itself as well", Gate.Fixtures("conformance-dispatch-cancellable-child"), async suite =>
        {
            var runId = await suite.CreateAsync("conformance-dispatch-cancellable-child");
            await suite.UntilAsync(runId, "running");
            await InterruptScenarios.CancelAsync(suite, runId);
            await suite.UntilAsync(runId, "cancelled");
        }),
        new(Section, "A child has its outcome also without a parent", Gate.Fixtures("conformance-multi-agent-handoff-child"), async suite =>
        {
            var snapshot = await suite.SnapshotAsync(await suite.CompleteAsync("conformance-multi-agent-handoff-child"));
            Expect.Equal("handoff-complete", snapshot.GetProperty("variables").GetProperty("childOutcome").GetString(), "variables.childOutcome");
        }),
    ];

    private static string ChildOf(IEnumerable<JsonElement> events) => Suite.OfType(events, "node.completed")
        .Select(document => document.GetProperty("payload"))
        .Where(payload => payload.TryGetProperty("outputs", out var outputs) && outputs.TryGetProperty("childRunId", out _))
        .Select(payload => payload.GetProperty("outputs").GetProperty("childRunId").GetString()!)
        .First();

    private static async Task SubWorkflowAsync(Suite suite)
    {
        var parent = await suite.CompleteAsync("conformance-subworkflow-parent");
        Expect.Equal("child-completed", (await suite.SnapshotAsync(parent)).GetProperty("variables").GetProperty("childOutcome").GetString(), "variables.childOutcome");
        var child = await suite.SnapshotAsync(ChildOf(await suite.EventsAsync(parent)));
        Expect.Equal("completed", Suite.StatusOf(child), "status of the child");
        Expect.Equal(parent, child.GetProperty("parentRunId").GetString(), "parentRunId");
        Expect.Equal("subwf-call", child.GetProperty("parentNodeId").GetString(), "parentNodeId");
    }

    private static async Task CascadeAsync(Suite suite)
    {
        var parent = await InterruptScenarios.WaitingAsync(suite, "conformance-interrupt-parent-child-cancel", "waiting-approval");
        var child = (await suite.SnapshotAsync(parent)).GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
        await InterruptScenarios.CancelAsync(suite, parent);
        await suite.UntilAsync(parent, "cancelled");
        await suite.UntilAsync(child, "cancelled");
        (await InterruptScenarios.ResolveAsync(suite.Host, child, "child-gate", new { action = "accept" })).Expecting(404, 409, 410, 422);
    }
}
