using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class DispatchTests
{
    [Theory]
    [InlineData("conformance-dispatch-loop")]
    [InlineData("conformance-orchestrator-dispatch")]
    public async Task A_supervisor_dispatches_and_then_terminates(string workflowId)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures(workflowId, "conformance-noop"));
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        var log = await host.LogAsync(runId);
        var decisions = log.Where(@event => Workflows.TypeOf(@event) == "runOrchestrator.decided").ToList();
        Assert.Equal(["next-worker", "terminate"], decisions.Select(decision => decision.GetProperty("payload").GetProperty("decision").GetProperty("kind").GetString()));
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
        var dispatched = Assert.Single(log, @event => Workflows.TypeOf(@event) == "node.dispatched");
        Assert.Equal(decisions[0].GetProperty("eventId").GetString(), dispatched.GetProperty("causationId").GetString());
        Assert.Equal("conformance-noop", dispatched.GetProperty("payload").GetProperty("childWorkflowId").GetString());
        Assert.Equal("completed", await host.StatusAsync(dispatched.GetProperty("payload").GetProperty("childRunId").GetString()!));
        var orchestrator = (await host.SnapshotAsync(runId)).GetProperty("runOrchestrator").GetProperty("agentId").GetString();
        Assert.All(decisions, decision => Assert.Equal(orchestrator, decision.GetProperty("payload").GetProperty("agentId").GetString()));
    }

    [Fact]
    public async Task A_terminate_ends_the_run_while_others_work_or_wait_and_every_replay_says_the_same()
    {
        await using var host = await EngineHost.StartAsync([]);
        var runId = await host.StoreAndCreateAsync(
            "ends-others",
            """
            {"id":"gate","typeId":"core.approvalGate"},
            {"id":"nap","typeId":"core.delay","config":{"ms":60000}},
            {"id":"begin","typeId":"core.delay","config":{"ms":50}},
            {"id":"supervisor","typeId":"core.orchestrator.supervisor","config":{"mockDecisions":[{"kind":"terminate"}]}},
            {"id":"dispatch","typeId":"core.dispatch"},
            {"id":"after","typeId":"core.noop"}
            """,
            """
            {"id":"a","sourceNodeId":"begin","targetNodeId":"supervisor"},
            {"id":"b","sourceNodeId":"supervisor","targetNodeId":"dispatch"},
            {"id":"c","sourceNodeId":"nap","targetNodeId":"after"}
            """,
            "{}",
            "{}");
        var log = await host.LogAsync(runId);
        Assert.Equal(["gate", "nap"], log.Where(@event => Workflows.TypeOf(@event) == "node.cancelled").Select(@event => @event.GetProperty("nodeId").GetString()!).Order());
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
        for (var from = 0; from < log.Count; from++)
        {
            var fork = await host.Client.ForkRunAsync(
                new ForkRunRequest { RunId = runId, Body = Google.Protobuf.ByteString.CopyFromUtf8($$"""{"mode":"replay","fromSeq":{{from}}}""") }, host.Headers);
            Assert.Equal(log.Select(Workflows.TypeOf), (await host.LogAsync(fork.RunId)).Select(Workflows.TypeOf));
        }
    }

    [Fact]
    public async Task Nothing_follows_a_terminate()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-orchestrator-terminate"));
        var log = await host.LogAsync(await host.CreateAsync("""{"workflowId":"conformance-orchestrator-terminate"}"""));
        Assert.Single(log, @event => Workflows.TypeOf(@event) == "runOrchestrator.decided");
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
    }

    [Fact]
    public async Task A_decision_below_the_threshold_is_held_until_somebody_ratifies_it()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-orchestrator-low-confidence", "conformance-noop"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-orchestrator-low-confidence"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        var log = await host.EventsAsync(runId);
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "runOrchestrator.decided");
        var payload = log.Single(@event => Workflows.TypeOf(@event) == "node.suspended").GetProperty("payload");
        Assert.Equal("low-confidence", payload.GetProperty("reason").GetString());
        Assert.Equal("core.conformance.low-conf-supervisor", payload.GetProperty("agentId").GetString());
        Assert.True(payload.GetProperty("observed").GetDouble() < payload.GetProperty("threshold").GetDouble());
        await host.AnswerAsync(runId, "supervisor", """{"action":"accept"}""");
        log = await host.LogAsync(runId);
        Assert.Equal(2, log.Count(@event => Workflows.TypeOf(@event) == "runOrchestrator.decided"));
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
    }

    [Fact]
    public async Task The_threshold_is_an_option_of_the_run()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-orchestrator-low-confidence", "conformance-noop"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-orchestrator-low-confidence","configurable":{"escalationThreshold":0.5}}""");
        Assert.Equal("run.completed", Workflows.TypeOf((await host.LogAsync(runId))[^1]));
    }

    [Fact]
    public async Task A_child_gets_mapped_inputs()
    {
        var child = await ChildOfAsync("conformance-dispatch-input-mapping", ["conformance-dispatch-input-mapping-child"]);
        Assert.Equal("Alice", child.GetProperty("inputs").GetProperty("childGreeting").GetString());
    }

    [Fact]
    public async Task A_variable_that_is_not_set_is_missing_at_the_child_and_not_null()
    {
        var child = await ChildOfAsync("conformance-dispatch-input-mapping-no-default", ["conformance-dispatch-input-mapping-child"]);
        Assert.False(child.GetProperty("inputs").TryGetProperty("childGreeting", out _));
        Assert.False(child.GetProperty("variables").TryGetProperty("childGreeting", out _));
    }

    [Fact]
    public async Task Outputs_of_a_child_are_inputs_of_the_next()
    {
        var child = await ChildOfAsync(
            "conformance-dispatch-cross-worker-handoff",
            ["conformance-dispatch-cross-worker-handoff-child-a", "conformance-dispatch-cross-worker-handoff-child-b"],
            index: 1);
        Assert.Equal("hello", child.GetProperty("inputs").GetProperty("input").GetString());
    }

    [Theory]
    [InlineData(0, "default-x-value")]
    [InlineData(1, "shared-value")]
    public async Task The_mapping_of_a_worker_replaces_the_mapping_for_all(int index, string expected)
    {
        var child = await ChildOfAsync(
            "conformance-dispatch-per-worker-override",
            ["conformance-dispatch-cross-worker-handoff-child-a", "conformance-dispatch-cross-worker-handoff-child-b"],
            index);
        Assert.Equal(expected, child.GetProperty("inputs").GetProperty("input").GetString());
    }

    [Fact]
    public async Task Outputs_are_mapped_from_a_child_that_completed()
    {
        var parent = await ParentOfAsync("""{"mockDispatchPlan":[{"kind":"next-worker","nextWorkerIds":["conformance-dispatch-output-mapping-child"]}]}""");
        Assert.Equal("completed", parent.GetProperty("status").GetString());
        Assert.Equal("done", parent.GetProperty("variables").GetProperty("parentResult").GetString());
    }

    [Fact]
    public async Task A_failed_child_fails_its_parent_and_changes_no_variable()
    {
        var parent = await ParentOfAsync("""{"mockDispatchPlan":[{"kind":"next-worker","nextWorkerIds":["conformance-dispatch-deterministic-fail-child"]}]}""");
        Assert.Equal("failed", parent.GetProperty("status").GetString());
        Assert.Contains("hvmap_1b_failed_fixture", parent.GetProperty("error").GetRawText(), StringComparison.Ordinal);
        Assert.Equal("before", parent.GetProperty("variables").GetProperty("parentResult").GetString());
    }

    [Fact]
    public async Task A_cancelled_child_fails_its_parent_and_changes_no_variable()
    {
        await using var host = await EngineHost.StartAsync(Dispatching("""{"mockDispatchPlan":[{"kind":"next-worker","nextWorkerIds":["conformance-dispatch-cancellable-child"]}]}"""));
        var runId = await host.CreateAsync("""{"workflowId":"parent"}""");
        var running = await host.SnapshotAsync(runId, snapshot => snapshot.TryGetProperty("childRuns", out _));
        await host.Client.CancelRunAsync(new CancelRunRequest { RunId = running.GetProperty("childRuns")[0].GetProperty("runId").GetString()! }, host.Headers);
        await host.LogAsync(runId);
        var parent = await host.SnapshotAsync(runId);
        Assert.Equal("child_cancelled", parent.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("before", parent.GetProperty("variables").GetProperty("parentResult").GetString());
    }

    [Theory]
    [InlineData("auto", "waiting-approval", "\"this\"")]
    [InlineData("conversation", "waiting-approval", "\"this\"")]
    [InlineData("clarification", "waiting-input", """{"answers":{"answer":"this"}}""")]
    public async Task A_question_to_the_user_is_asked_and_the_loop_goes_on(string routing, string status, string answer)
    {
        await using var host = await EngineHost.StartAsync(Dispatching(
            """{"mockDispatchPlan":[{"kind":"ask-user","prompt":"Which one?"}]}""", $$"""{"askUserRouting":"{{routing}}"}"""));
        var runId = await host.CreateAsync("""{"workflowId":"parent"}""");
        await host.SnapshotAsync(runId, status);
        await host.AnswerAsync(runId, "dispatch", answer);
        var log = await host.LogAsync(runId);
        var completed = log.First(@event => Workflows.TypeOf(@event) == "node.completed" && @event.GetProperty("nodeId").ValueEquals("dispatch"));
        Assert.Equal("this", completed.GetProperty("payload").GetProperty("outputs").GetProperty("answer").GetString());
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
    }

    [Theory]
    [InlineData("""{"fanOutPolicy":"reject"}""", "fan_out_unsupported")]
    [InlineData("""{"askUserRouting":"telepathy"}""", "config_invalid")]
    public async Task What_the_config_of_a_dispatch_excludes_fails_it(string config, string code)
    {
        const string Plan = """{"mockDispatchPlan":[{"kind":"next-worker","nextWorkerIds":["conformance-noop","conformance-noop"]}]}""";
        var parent = await ParentOfAsync(Plan, config);
        Assert.Equal(code, parent.GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_dispatch_works_only_as_often_as_its_cap_says()
    {
        const string Plan = """{"mockDispatchPlan":[{"kind":"next-worker","nextWorkerIds":["conformance-noop"]},{"kind":"next-worker","nextWorkerIds":["conformance-noop"]}]}""";
        Assert.Equal("loop_limit_exceeded", (await ParentOfAsync(Plan, """{"iterationCap":1}""")).GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("completed", (await ParentOfAsync(Plan, """{"iterationCap":2}""")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_dispatch_without_a_decision_fails()
    {
        await using var host = await EngineHost.StartAsync(new() { ["w"] = Workflows.Chain("w", [("dispatch", "core.dispatch", "{}")]) });
        var last = (await host.LogAsync(await host.CreateAsync("""{"workflowId":"w"}""")))[^1];
        Assert.Equal("no_pending_decision", last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    private static async Task<JsonElement> ChildOfAsync(string workflowId, string[] children, int index = 0)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures([workflowId, .. children]));
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        Assert.Equal("run.completed", Workflows.TypeOf((await host.LogAsync(runId))[^1]));
        return await host.SnapshotAsync((await host.SnapshotAsync(runId)).GetProperty("childRuns")[index].GetProperty("runId").GetString()!);
    }

    private static async Task<JsonElement> ParentOfAsync(string plan, string config = """{"outputMapping":{"parentResult":"childOutcome"}}""")
    {
        await using var host = await EngineHost.StartAsync(Dispatching(plan, config));
        var runId = await host.CreateAsync("""{"workflowId":"parent"}""");
        await host.LogAsync(runId);
        return await host.SnapshotAsync(runId);
    }

    private static Dictionary<string, string> Dispatching(string plan, string config = """{"outputMapping":{"parentResult":"childOutcome"}}""") => new(Workflows.Fixtures(
        "conformance-noop", "conformance-dispatch-output-mapping-child", "conformance-dispatch-deterministic-fail-child", "conformance-dispatch-cancellable-child"))
    {
        ["parent"] = Workflows.Chain(
            "parent",
            [("supervisor", "core.orchestrator.supervisor", plan), ("dispatch", "core.dispatch", config)],
            """[{"name":"parentResult","type":"string","defaultValue":"before"}]""").Replace(
                "\"edges\":[", """
                "edges":[{"id":"back","sourceNodeId":"dispatch","targetNodeId":"supervisor"},
                """,
                StringComparison.Ordinal),
    };
}
