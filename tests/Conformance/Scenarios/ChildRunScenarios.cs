using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.5 and 7.8: runs that start other runs.</summary>
internal static class ChildRunScenarios
{
    private const string Section = "7.8 Child runs";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A child run gives its outcome to its parent", Gate.Fixtures("conformance-subworkflow-parent", "conformance-subworkflow-child"), SubWorkflowAsync),
        new(Section, "Inputs of a child come from its parent", Gate.Fixtures("conformance-subworkflow-input-mapping", "conformance-subworkflow-input-mapping-child"), async suite =>
        {
            var parent = await suite.CompleteAsync("conformance-subworkflow-input-mapping");
            var child = await suite.SnapshotAsync(ChildOf(await suite.EventsAsync(parent)));
            Expect.Equal("prd-1", child.GetProperty("variables").GetProperty("receivedPrdId").GetString(), "variables.receivedPrdId of the child");
        }),
        new(Section, "Cancelling a parent cancels its waiting child", Gate.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"), CascadeAsync),
        new(Section, "A supervisor dispatches until it says that it is done", Gate.Fixtures("conformance-dispatch-loop"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-dispatch-loop");
            var decisions = Suite.OfType(await suite.EventsAsync(runId), "runOrchestrator.decided")
                .Select(document => document.GetProperty("payload").GetProperty("decision").GetProperty("kind").GetString()!);
            Expect.Sequence(["next-worker", "terminate"], decisions, "decisions");
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
