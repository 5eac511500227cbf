using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>6.3: what can only be shown by reaching into a host; its seams have to be on.</summary>
internal static class SeamScenarios
{
    private const string Section = "6.3 Seams";
    private const string MidRun = "conformance-subworkflow-mid-run-mutation";
    private const string FailingChild = "conformance-dispatch-deterministic-fail-child";
    private const string CancellableChild = "conformance-dispatch-cancellable-child";
    private const string Toggle = "/v1/host/sample/test/capability-toggle";

    public static readonly Gate Seams = new("test seams", static suite => suite.HasSeams);
    private static readonly Gate NoSeams = new("no test seams", static suite => !suite.HasSeams);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Seams that are off are not there, whoever asks", NoSeams, async suite =>
        {
            (await suite.Host.PostAsync("/v1/host/sample/workflows", new { workflowId = "x", nodes = Array.Empty<object>() })).Expecting(404);
            (await suite.Host.PostAsync("/v1/host/sample/test/runs/x/variables", new { variables = new { } })).Expecting(404);
            (await suite.Host.GetAsync("/v1/host/sample/test/runs/x/events")).Expecting(404);
        }),
        new(Section, "Seams that are on take a credential all the same", Seams, async suite =>
            (await suite.Anonymous.PostAsync(Toggle, new { reset = true })).Expecting(401)),
        new(Section, "A child keeps what it was given when its parent changes", Seams.And(Gate.Fixtures(MidRun, MidRun + "-child")), async suite =>
        {
            var parent = await InterruptScenarios.WaitingAsync(suite, MidRun, "waiting-approval");
            (await suite.Host.PostAsync($"/v1/host/sample/test/runs/{parent}/variables", new { variables = new { currentPrdId = "mutated-id" } })).Expecting(200);
            var snapshot = await suite.SnapshotAsync(parent);
            Expect.Equal("mutated-id", snapshot.GetProperty("variables").GetProperty("currentPrdId").GetString(), "variable of the parent");
            var child = snapshot.GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
            (await InterruptScenarios.ResolveAsync(suite.Host, child, "child-gate", new { action = "accept" })).Expecting(200);
            await suite.UntilAsync(parent, "completed");
            Expect.Equal("seeded-id", (await suite.SnapshotAsync(child)).GetProperty("variables").GetProperty("receivedPrdId").GetString(), "variable of the child");
        }),
        new(Section, "Mappings are refused where their capability is not there", Seams, RefusesMappingsAsync),
        new(Section, "A worker that fails leaves nothing in its parent", Seams.And(Gate.Fixtures(FailingChild)), async suite =>
        {
            var parent = await DispatchAsync(suite, "conformance-seam-failing-worker", FailingChild);
            var snapshot = await suite.UntilTerminalAsync(parent);
            Expect.Equal("failed", Suite.StatusOf(snapshot), "status of the parent");
            ExpectUntouched(snapshot);
        }),
        new(Section, "A worker that is cancelled leaves nothing in its parent", Seams.And(Gate.Fixtures(CancellableChild)), async suite =>
        {
            var parent = await DispatchAsync(suite, "conformance-seam-cancelled-worker", CancellableChild);
            (await suite.Host.PostAsync($"/v1/runs/{await ChildOfAsync(suite, parent)}/cancel")).Expecting(200);
            ExpectUntouched(await suite.UntilTerminalAsync(parent));
        }),
        new(Section, "The durable log can be filtered, by those who may see the run", Seams.And(Gate.Fixtures("conformance-noop")), async suite =>
        {
            var path = $"/v1/host/sample/test/runs/{await suite.CompleteAsync("conformance-noop")}/events";
            var all = (await suite.Host.GetAsync(path)).Expecting(200).Json.GetProperty("events");
            var started = (await suite.Host.GetAsync($"{path}?type=node.started&nodeId=noop")).Expecting(200).Json.GetProperty("events");
            Expect.Equal(1, started.GetArrayLength(), "events of the node's start");
            Expect.That(all.GetArrayLength() >= 4, "the whole log");
            if (suite.OtherTenant is { } stranger)
                (await stranger.GetAsync(path)).Expecting(404);
        }),
    ];

    /// <summary>What is toggled holds for a tenant, so it had better be one in which no other scenario stores workflows meanwhile.</summary>
    private static async Task RefusesMappingsAsync(Suite suite)
    {
        var caller = suite.OtherTenant ?? suite.Host;
        object[] nodes = [new { nodeId = "call", typeId = "core.subWorkflow", config = new { workflowId = "conformance-noop", inputMapping = new { a = "b" } } }];
        await RefusedAsync("subWorkflow.inputMapping", nodes);
        nodes = [new { nodeId = "supervisor", typeId = "core.orchestrator.supervisor" }, new { nodeId = "dispatch", typeId = "core.dispatch", config = new { outputMapping = new { a = "b" } } }];
        await RefusedAsync("agents.dispatchMapping", nodes);

        async Task RefusedAsync(string capability, object[] nodes)
        {
            var body = new { workflowId = "conformance-seam-mapping", nodes };
            (await caller.PostAsync(Toggle, new { name = $"capabilities.{capability}", value = false })).Expecting(200);
            var refusal = (await caller.PostAsync("/v1/host/sample/workflows", body)).Expecting(400).Json;
            Expect.Equal("validation_error", refusal.GetProperty("error").GetString(), "error");
            Expect.Equal(capability, refusal.GetProperty("details").GetProperty("requiredCapability").GetString(), "requiredCapability");
            (await caller.PostAsync(Toggle, new { name = $"capabilities.{capability}", value = (bool?)null })).Expecting(200);
            (await caller.PostAsync("/v1/host/sample/workflows", body)).Expecting(201);
        }
    }

    private static async Task<string> DispatchAsync(Suite suite, string workflowId, string worker)
    {
        (await suite.Host.PostAsync("/v1/host/sample/workflows", new
        {
            workflowId,
            nodes = new object[]
            {
                new { nodeId = "supervisor", typeId = "core.orchestrator.supervisor", config = new { mockDispatchPlan = new[] { new { kind = "next-worker", nextWorkerIds = new[] { worker } } } } },
                new { nodeId = "dispatch", typeId = "core.dispatch", config = new { outputMapping = new { parentResult = "childOutcome" } } },
            },
        })).Expecting(201);
        return await suite.CreateAsync(workflowId);
    }

    private static async Task<string> ChildOfAsync(Suite suite, string parent)
    {
        for (var attempt = 0; attempt < 400; attempt++)
        {
            var snapshot = await suite.SnapshotAsync(parent);
            if (snapshot.TryGetProperty("childRuns", out var children) && children.GetArrayLength() > 0)
                return children[0].GetProperty("runId").GetString()!;

            await Task.Delay(25);
        }

        throw new ConformanceException("The worker does not start.");
    }

    private static void ExpectUntouched(JsonElement parent) => Expect.That(
        !parent.TryGetProperty("variables", out var variables) || !variables.TryGetProperty("parentResult", out _),
        $"no parentResult in {parent.GetRawText()}");
}
