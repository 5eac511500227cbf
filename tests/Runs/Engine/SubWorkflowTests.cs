using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class SubWorkflowTests
{
    private const string SubWorkflow = "core.subWorkflow";

    [Fact]
    public async Task A_parent_waits_for_its_child_and_takes_over_its_variables()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-subworkflow-parent", "conformance-subworkflow-child"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-subworkflow-parent"}""");
        var log = await host.LogAsync(runId);
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
        var outputs = log.Single(@event => Workflows.TypeOf(@event) == "node.completed" && @event.GetProperty("nodeId").ValueEquals("subwf-call")).GetProperty("payload").GetProperty("outputs");
        Assert.Equal("completed", outputs.GetProperty("childStatus").GetString());
        var parent = await host.SnapshotAsync(runId);
        Assert.Equal("child-completed", parent.GetProperty("variables").GetProperty("childOutcome").GetString());
        var childId = outputs.GetProperty("childRunId").GetString()!;
        Assert.Equal(childId, Assert.Single(parent.GetProperty("childRuns").EnumerateArray()).GetProperty("runId").GetString());
        var child = await host.SnapshotAsync(childId);
        Assert.Equal("completed", child.GetProperty("status").GetString());
        Assert.Equal(runId, child.GetProperty("parentRunId").GetString());
        Assert.Equal("subwf-call", child.GetProperty("parentNodeId").GetString());
        Assert.Equal("conformance-subworkflow-parent", child.GetProperty("parentWorkflowId").GetString());
    }

    [Fact]
    public async Task A_cancelled_parent_takes_its_waiting_child_along()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-interrupt-parent-child-cancel"}""");
        var parent = await host.SnapshotAsync(runId, "waiting-approval");
        Assert.Equal("spawn-child", parent.GetProperty("currentNodeId").GetString());
        var link = Assert.Single(parent.GetProperty("childRuns").EnumerateArray());
        Assert.Equal("waiting-approval", link.GetProperty("status").GetString());
        var childId = link.GetProperty("runId").GetString()!;
        await host.Client.CancelRunAsync(new CancelRunRequest { RunId = runId }, host.Headers);
        var log = await host.LogAsync(childId);
        Assert.Equal("run.cancelled", Workflows.TypeOf(log[^1]));
        Assert.Equal("parent-cancelled", log[^1].GetProperty("payload").GetProperty("reason").GetString());
        Assert.Equal(runId, log[^1].GetProperty("payload").GetProperty("parentRunId").GetString());
        var late = await Assert.ThrowsAsync<RpcException>(async () => await host.AnswerAsync(childId, "child-gate", """{"action":"accept"}"""));
        Assert.Equal(StatusCode.FailedPrecondition, late.StatusCode);
        Assert.Contains("gone", late.Status.Detail, StringComparison.Ordinal);
        Assert.False((await host.LogAsync(runId))[^1].GetProperty("payload").TryGetProperty("parentRunId", out _));
    }

    [Fact]
    public async Task An_answered_child_lets_its_parent_go_on()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-interrupt-parent-child-cancel"}""");
        var parent = await host.SnapshotAsync(runId, "waiting-approval");
        await host.AnswerAsync(parent.GetProperty("childRuns")[0].GetProperty("runId").GetString()!, "child-gate", """{"action":"accept"}""");
        Assert.Equal("run.completed", Workflows.TypeOf((await host.LogAsync(runId))[^1]));
    }

    [Fact]
    public async Task A_cancelled_child_fails_its_parent()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-interrupt-parent-child-cancel"}""");
        var parent = await host.SnapshotAsync(runId, "waiting-approval");
        await host.Client.CancelRunAsync(new CancelRunRequest { RunId = parent.GetProperty("childRuns")[0].GetProperty("runId").GetString()! }, host.Headers);
        var last = (await host.LogAsync(runId))[^1];
        Assert.Equal("child_cancelled", last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("conformance-subworkflow-input-mapping", "prd-1")]
    [InlineData("conformance-subworkflow-input-mapping-no-default", null)]
    public async Task A_mapping_wins_over_the_default_also_when_it_has_no_value(string workflowId, string? expected)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures(workflowId, "conformance-subworkflow-input-mapping-child"));
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        await host.LogAsync(runId);
        var childId = (await host.SnapshotAsync(runId)).GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
        var child = await host.SnapshotAsync(childId);
        Assert.Equal(expected is not null, child.GetProperty("variables").TryGetProperty("receivedPrdId", out var value));
        Assert.Equal(expected is not null, child.GetProperty("inputs").TryGetProperty("receivedPrdId", out _));
        Assert.Equal(expected, expected is null ? null : value.GetString());
    }

    [Theory]
    [InlineData("fail-parent", "failed")]
    [InlineData("absorb", "completed")]
    public async Task The_failure_of_a_child_is_passed_on_or_absorbed(string onChildFailure, string status)
    {
        await using var host = await EngineHost.StartAsync(new()
        {
            ["parent"] = Workflows.Chain(
                "parent",
                [("call", SubWorkflow, $$"""{"workflowId":"child","outputMapping":{"x":"y"},"onChildFailure":"{{onChildFailure}}"}""")],
                """[{"name":"x","type":"string","defaultValue":"before"}]"""),
            ["child"] = Workflows.Chain("child", [("f", "core.fail", """{"code":"broken"}""")], """[{"name":"y","type":"string","defaultValue":"after"}]"""),
        });
        var runId = await host.CreateAsync("""{"workflowId":"parent"}""");
        await host.LogAsync(runId);
        var parent = await host.SnapshotAsync(runId);
        Assert.Equal(status, parent.GetProperty("status").GetString());
        Assert.Equal("before", parent.GetProperty("variables").GetProperty("x").GetString());
        Assert.Contains("broken", parent.GetProperty("nodeStates").GetProperty("call").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_parent_that_does_not_wait_goes_on_and_leaves_its_child_alone()
    {
        await using var host = await EngineHost.StartAsync(new()
        {
            ["parent"] = Workflows.Chain("parent", [("call", SubWorkflow, """{"workflowId":"child","waitForCompletion":false}""")]),
            ["child"] = Workflows.Chain("child", [("gate", "core.approvalGate", "{}")]),
        });
        var runId = await host.CreateAsync("""{"workflowId":"parent"}""");
        var log = await host.LogAsync(runId);
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
        var childId = (await host.SnapshotAsync(runId)).GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
        await host.SnapshotAsync(childId, "waiting-approval");
        await host.AnswerAsync(childId, "gate", """{"action":"accept"}""");
        Assert.Equal("run.completed", Workflows.TypeOf((await host.LogAsync(childId))[^1]));
        Assert.Equal(log.Count, (await host.EventsAsync(runId)).Count);
    }

    [Fact]
    public async Task Sensitive_values_stay_masked_on_their_way_down_and_up()
    {
        await using var host = await EngineHost.StartAsync(new()
        {
            ["parent"] = Workflows.Chain(
                "parent",
                [("call", SubWorkflow, """{"workflowId":"child","inputMapping":{"b":"a"},"outputMapping":{"c":"b"}}""")],
                """[{"name":"a","type":"string","sensitive":true}]"""),
            ["child"] = Workflows.Chain("child", [("n", "core.noop", "{}")], """[{"name":"b","type":"string"}]"""),
        });
        var runId = await host.CreateAsync("""{"workflowId":"parent","inputs":{"a":"s3cret-value"}}""");
        var log = await host.LogAsync(runId);
        var parent = await host.SnapshotAsync(runId);
        Assert.Equal("[REDACTED]", parent.GetProperty("variables").GetProperty("c").GetString());
        var childId = parent.GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
        List<JsonElement> everything = [.. log, parent, .. await host.LogAsync(childId), await host.SnapshotAsync(childId)];
        Assert.All(everything, document => Assert.DoesNotContain("s3cret", document.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Runs_start_runs_only_so_deep()
    {
        await using var host = await EngineHost.StartAsync(new() { ["again"] = Workflows.Chain("again", [("call", SubWorkflow, """{"workflowId":"again"}""")]) });
        var runId = await host.CreateAsync("""{"workflowId":"again"}""");
        var last = (await host.LogAsync(runId))[^1];
        Assert.Equal("child_failed", last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_paused_parent_hears_of_its_child_when_it_is_resumed()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-interrupt-parent-child-cancel", "conformance-interrupt-parent-child-cancel-child"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-interrupt-parent-child-cancel"}""");
        var parent = await host.SnapshotAsync(runId, "waiting-approval");
        var childId = parent.GetProperty("childRuns")[0].GetProperty("runId").GetString()!;
        await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId }, host.Headers);
        await host.AnswerAsync(childId, "child-gate", """{"action":"accept"}""");
        await host.LogAsync(childId);
        Assert.Equal("paused", await host.StatusAsync(runId));
        await host.Client.ResumeRunAsync(new ResumeRunRequest { RunId = runId }, host.Headers);
        var types = (await host.LogAsync(runId)).Select(Workflows.TypeOf).ToList();
        Assert.Equal("run.completed", types[^1]);
        Assert.Equal("run.resumed", types[types.IndexOf("run.paused") + 1]);
    }
}
