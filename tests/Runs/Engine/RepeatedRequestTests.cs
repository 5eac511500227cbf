using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Whoever acted and died before it could say so is asked again; the answer is the first one.</summary>
public sealed class RepeatedRequestTests
{
    private static readonly Dictionary<string, string> Definitions = new()
    {
        ["gated"] = Workflows.Chain("gated", [("gate", "core.approvalGate", "{}"), ("second", "core.approvalGate", "{}")]),
    };

    [Fact]
    public async Task A_repeated_answer_is_taken_once_also_by_the_next_process()
    {
        var host = await EngineHost.StartAsync(Definitions);
        var runId = await WaitingAsync(host);
        var first = await ResolveAsync(host, runId, "gate", "request-1");
        Assert.False(first.Replayed);
        var again = await ResolveAsync(host, runId, "gate", "request-1");
        Assert.Equal((true, first.Status), (again.Replayed, again.Status));
        var events = await host.EventsAsync(runId);

        await using var next = await EngineHost.StartAsync([], await host.StopAsync());
        var later = await ResolveAsync(next, runId, "gate", "request-1");
        Assert.Equal((true, first.Status), (later.Replayed, later.Status));
        Assert.Equal(events.Count, (await next.EventsAsync(runId)).Count);
        Assert.DoesNotContain(events, @event => @event.GetRawText().Contains("request-1", StringComparison.Ordinal));
        var other = await Assert.ThrowsAsync<RpcException>(() => ResolveAsync(next, runId, "gate", "request-2"));
        Assert.Equal(StatusCode.Aborted, other.StatusCode);
    }

    [Fact]
    public async Task Many_equal_answers_at_once_are_one()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await WaitingAsync(host);
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ResolveAsync(host, runId, "gate", "request-1")));
        Assert.Single(replies, reply => !reply.Replayed);
        Assert.Single(replies.Select(reply => reply.Status).Distinct());
    }

    [Fact]
    public async Task A_repeated_pause_and_resume_say_when_the_first_were_accepted()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await WaitingAsync(host);
        var paused = await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId, RequestId = "p" }, host.Headers);
        var resumed = await host.Client.ResumeRunAsync(new ResumeRunRequest { RunId = runId, RequestId = "r" }, host.Headers);
        var pausedAgain = await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId, RequestId = "p" }, host.Headers);
        var resumedAgain = await host.Client.ResumeRunAsync(new ResumeRunRequest { RunId = runId, RequestId = "r" }, host.Headers);
        Assert.Equal((paused.At, true), (pausedAgain.At, pausedAgain.Replayed));
        Assert.Equal((resumed.At, true), (resumedAgain.At, resumedAgain.Replayed));
        Assert.Equal("waiting-approval", await host.StatusAsync(runId));
    }

    [Fact]
    public async Task A_token_answers_again_with_the_same_key_and_not_with_another_body()
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await WaitingAsync(host);
        var token = (await host.SnapshotAsync(runId)).GetProperty("interrupt").GetProperty("interruptToken").GetString()!;
        var first = await ByTokenAsync(host, token, "accept", "digest-1");
        Assert.False(first.Replayed);
        await host.SnapshotAsync(runId, snapshot => snapshot.TryGetProperty("currentNodeId", out var node) && node.ValueEquals("second"));
        Assert.True((await ByTokenAsync(host, token, "accept", "digest-1")).Replayed);
        var mismatch = await Assert.ThrowsAsync<RpcException>(() => ByTokenAsync(host, token, "reject", "digest-2"));
        Assert.Contains("idempotency key", mismatch.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"action":"accept","action":"reject"}""")]
    [InlineData("""{"action":"\ud800"}""")]
    [InlineData("""{"action":"accept"} 1""")]
    public async Task An_answer_with_two_readings_is_refused(string value)
    {
        await using var host = await EngineHost.StartAsync(Definitions);
        var runId = await WaitingAsync(host);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => host.AnswerAsync(runId, "gate", value));
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Equal("waiting-approval", await host.StatusAsync(runId));
    }

    private static async Task<string> WaitingAsync(EngineHost host)
    {
        var runId = await host.CreateAsync("""{"workflowId":"gated"}""");
        JsonElement _ = await host.SnapshotAsync(runId, "waiting-approval");
        return runId;
    }

    private static async Task<ResolveInterruptReply> ResolveAsync(EngineHost host, string runId, string nodeId, string requestId) =>
        await host.Client.ResolveInterruptAsync(
            new ResolveInterruptRequest { RunId = runId, NodeId = nodeId, ResumeValue = ByteString.CopyFromUtf8("""{"action":"accept"}"""), RequestId = requestId }, host.Headers);

    private static async Task<ResolveInterruptReply> ByTokenAsync(EngineHost host, string token, string action, string digest) =>
        await host.Client.ResolveInterruptByTokenAsync(new ResolveInterruptByTokenRequest
        {
            Token = token,
            ResumeValue = ByteString.CopyFromUtf8($$"""{"action":"{{action}}"}"""),
            RequestId = "key-1",
            RequestDigest = digest,
        });
}
