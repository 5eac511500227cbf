using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.13: a supervisor decides, a dispatch does it, and values travel between parent and workers.</summary>
internal static class OrchestratorScenarios
{
    private const string Section = "7.13 Orchestration";
    private const string Dispatch = "conformance-orchestrator-dispatch";
    private const string Terminate = "conformance-orchestrator-terminate";
    private const string LowConfidence = "conformance-orchestrator-low-confidence";
    private const string InputMapping = "conformance-dispatch-input-mapping";
    private const string NoDefault = "conformance-dispatch-input-mapping-no-default";
    private const string OutputMapping = "conformance-dispatch-output-mapping";
    private const string Handoff = "conformance-dispatch-cross-worker-handoff";
    private const string PerWorker = "conformance-dispatch-per-worker-override";

    private static readonly Gate Orchestrator = Gate.Family("agents.orchestrator").And(Gate.Family("agents.dispatch"));
    private static readonly Gate Mapping = Gate.Family("agents.dispatchMapping");

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A worker that the supervisor names is run", Orchestrator.And(Gate.Fixtures(Dispatch)), async suite =>
        {
            var events = await suite.EventsAsync(await suite.CompleteAsync(Dispatch));
            var first = Suite.OfType(events, "runOrchestrator.decided").First();
            Expect.Equal("next-worker", KindOf(first), "first decision");
            Expect.That(DecisionOf(first).GetProperty("nextWorkerIds").EnumerateArray().Any(id => id.ValueEquals("conformance-noop")), "the worker in the decision");

            var dispatched = Suite.OfType(events, "node.dispatched").First();
            Expect.Equal(first.GetProperty("eventId").GetString(), dispatched.GetProperty("causationId").GetString(), "cause of the dispatch");
            Expect.That(dispatched.GetProperty("sequence").GetInt64() > first.GetProperty("sequence").GetInt64(), "the decision is stored first");
            await suite.UntilAsync(ChildOf(dispatched), "completed");
        }),
        new(Section, "Nothing follows the decision to end", Orchestrator.And(Gate.Fixtures(Terminate)), async suite =>
        {
            var events = await suite.EventsAsync(await suite.CompleteAsync(Terminate));
            Expect.Sequence(["terminate"], Suite.OfType(events, "runOrchestrator.decided").Select(KindOf), "decisions");
            Expect.That(!Suite.OfType(events, "node.dispatched").Any(), "nothing is dispatched");
        }),
        new(Section, "A supervisor with little confidence decides nothing until a person agrees", Orchestrator.And(Gate.Fixtures(LowConfidence)), async suite =>
        {
            var run = await suite.CreateAsync(LowConfidence);
            await suite.UntilAsync(run, "waiting-approval");
            var waiting = await suite.EventsAsync(run);
            Expect.That(!Suite.OfType(waiting, "runOrchestrator.decided").Any(), "no decision while the run waits");
            var suspended = Suite.OfType(waiting, "node.suspended").Single().GetProperty("payload");
            Expect.Equal("low-confidence", suspended.GetProperty("reason").GetString(), "reason");
            Expect.That(suspended.GetProperty("agentId").GetString()!.Length >= 3, "agentId");

            (await suite.Host.PostAsync($"/v1/runs/{run}/interrupts/supervisor", new { resumeValue = new { action = "accept" } })).Expecting(200);
            await suite.UntilTerminalAsync(run);
            Expect.Equal("next-worker", KindOf(Suite.OfType(await suite.EventsAsync(run), "runOrchestrator.decided").First()), "the decision that was agreed to");
        }),
        new(Section, "A worker gets its inputs from variables of its parent", Mapping.And(Gate.Fixtures(InputMapping)), async suite =>
            Expect.Equal("Alice", (await ChildAsync(suite, InputMapping, 0)).GetProperty("inputs").GetProperty("childGreeting").GetString(), "input of the worker")),
        new(Section, "A variable that is not set gives a worker nothing, not null", Mapping.And(Gate.Fixtures(NoDefault)), async suite =>
        {
            var child = await ChildAsync(suite, NoDefault, 0);
            Expect.That(!child.TryGetProperty("inputs", out var inputs) || !inputs.TryGetProperty("childGreeting", out _), $"inputs of the worker: {child.GetRawText()}");
        }),
        new(Section, "What a worker leaves comes back to its parent", Mapping.And(Gate.Fixtures(OutputMapping)), async suite =>
        {
            var parent = await suite.SnapshotAsync(await suite.CompleteAsync(OutputMapping));
            Expect.Equal("done", parent.GetProperty("variables").GetProperty("parentResult").GetString(), "parentResult");
        }),
        new(Section, "What one worker leaves reaches the next", Mapping.And(Gate.Fixtures(Handoff)), async suite =>
            Expect.Equal("hello", (await ChildAsync(suite, Handoff, 1)).GetProperty("inputs").GetProperty("input").GetString(), "input of the second worker")),
        new(Section, "A mapping of one worker replaces the default", Mapping.And(Gate.Fixtures(PerWorker)), async suite =>
        {
            var run = await suite.CompleteAsync(PerWorker);
            Expect.Equal("default-x-value", Input(await ChildOfAsync(suite, run, 0)), "input of the first worker");
            Expect.Equal("shared-value", Input(await ChildOfAsync(suite, run, 1)), "input of the second worker");
        }),
    ];

    private static string? Input(JsonElement child) => child.GetProperty("inputs").GetProperty("input").GetString();

    private static async Task<JsonElement> ChildAsync(Suite suite, string workflowId, int index) => await ChildOfAsync(suite, await suite.CompleteAsync(workflowId), index);

    /// <summary>The snapshot of the worker that was dispatched as the n-th.</summary>
    private static async Task<JsonElement> ChildOfAsync(Suite suite, string run, int index) =>
        await suite.SnapshotAsync(ChildOf(Suite.OfType(await suite.EventsAsync(run), "node.dispatched").ElementAt(index)));

    private static string ChildOf(JsonElement dispatched) => dispatched.GetProperty("payload").GetProperty("childRunId").GetString()!;

    private static JsonElement DecisionOf(JsonElement document) => document.GetProperty("payload").GetProperty("decision");

    private static string KindOf(JsonElement document) => DecisionOf(document).GetProperty("kind").GetString()!;
}
