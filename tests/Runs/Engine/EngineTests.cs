using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;
using Xunit.Abstractions;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class EngineTests(ITestOutputHelper output)
{
    private const string Chain = """
        {"id":"chain","name":"Chain","version":"1.0","nodes":[
          {"id":"a","typeId":"core.noop","name":"A","position":{"x":0,"y":0},"config":{},"inputs":{}},
          {"id":"w","typeId":"core.delay","name":"W","position":{"x":0,"y":0},"config":{"ms":100},"inputs":{}},
          {"id":"f","typeId":"core.fail","name":"F","position":{"x":0,"y":0},"config":{"failAttempts":1},"inputs":{},"settings":{"maxRetries":2,"retryDelayMs":50}},
          {"id":"b","typeId":"core.noop","name":"B","position":{"x":0,"y":0},"config":{},"inputs":{}}],
         "edges":[{"id":"e1","sourceNodeId":"a","targetNodeId":"w"},{"id":"e2","sourceNodeId":"w","targetNodeId":"f"},{"id":"e3","sourceNodeId":"f","targetNodeId":"b"}],
         "triggers":[],"variables":[],"metadata":{},"settings":{}}
        """;

    private const string Gate = """
        {"id":"gate","name":"Gate","version":"1.0","nodes":[
          {"id":"gate","typeId":"core.approvalGate","name":"Gate","position":{"x":0,"y":0},"config":{"title":"Ship?","actions":["accept","reject"],"requiredApprovals":2},"inputs":{}}],
         "edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}
        """;

    [Fact]
    public async Task An_approval_waits_for_its_quorum_and_completes_the_run()
    {
        await using var host = await EngineHost.StartAsync(new() { ["gate"] = Gate });
        var runId = await host.CreateAsync("""{"workflowId":"gate"}""");
        Assert.Equal("waiting-approval", await host.StatusAsync(runId));
        var wrong = await Assert.ThrowsAsync<RpcException>(async () => await host.AnswerAsync(runId, "gate", """{"action":"maybe"}"""));
        Assert.Equal(StatusCode.InvalidArgument, wrong.StatusCode);
        Assert.Equal("waiting-approval", await host.AnswerAsync(runId, "gate", """{"action":"accept","voter":"a"}"""));
        Assert.Equal("waiting-approval", await host.AnswerAsync(runId, "gate", """{"action":"accept","voter":"a"}"""));
        await host.AnswerAsync(runId, "gate", """{"action":"accept","voter":"b"}""");
        await host.SnapshotAsync(runId, "completed");
        var late = await Assert.ThrowsAsync<RpcException>(async () => await host.AnswerAsync(runId, "gate", """{"action":"accept"}"""));
        Assert.Equal(StatusCode.Aborted, late.StatusCode);
        foreach (var @event in (await host.WaitForEndAsync(runId)).Events)
            output.WriteLine(@event.ToStringUtf8());
    }

    [Fact]
    public async Task A_paused_run_holds_until_it_is_resumed()
    {
        await using var host = await EngineHost.StartAsync(new() { ["chain"] = Chain.Replace("\"ms\":100", "\"ms\":60000", StringComparison.Ordinal) });
        var runId = await host.CreateAsync("""{"workflowId":"chain"}""");
        await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId }, host.Headers);
        Assert.Equal("paused", await host.StatusAsync(runId));
        var again = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId }, host.Headers));
        Assert.Equal(StatusCode.FailedPrecondition, again.StatusCode);
        await host.Client.ResumeRunAsync(new ResumeRunRequest { RunId = runId }, host.Headers);
        var log = await host.WaitForEndAsync(runId);
        Assert.Equal("completed", log.Status);
    }

    [Fact]
    public async Task Inputs_stay_out_of_the_log_and_survive_in_the_snapshot()
    {
        await using var host = await EngineHost.StartAsync(new() { ["chain"] = Chain });
        var runId = await host.CreateAsync("""{"workflowId":"chain","inputs":{"note":"pasted-secret"}}""");
        var log = await host.WaitForEndAsync(runId);
        Assert.All(log.Events, @event => Assert.DoesNotContain("pasted-secret", @event.ToStringUtf8(), StringComparison.Ordinal));
        var snapshot = await host.SnapshotAsync(runId);
        Assert.Equal("pasted-secret", snapshot.GetProperty("inputs").GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_run_with_a_delay_and_a_retry_completes()
    {
        await using var host = await EngineHost.StartAsync(new() { ["chain"] = Chain });
        var runId = await host.CreateAsync("""{"workflowId":"chain"}""");
        var log = await host.WaitForEndAsync(runId);
        foreach (var @event in log.Events)
        {
            output.WriteLine(@event.ToStringUtf8());
        }

        var types = log.Events.Select(@event => JsonElement.Parse(@event.Span).GetProperty("type").GetString()).ToList();
        Assert.Equal(
            [
                "run.started", "node.started", "node.completed", "node.started", "node.completed", "node.started", "node.retried",
                "node.started", "node.completed", "node.started", "node.completed", "run.completed",
            ],
            types);
    }
}
