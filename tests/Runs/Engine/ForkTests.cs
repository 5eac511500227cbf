using System.Net;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class ForkTests
{
    private static readonly string Steps = Workflows.Chain("steps", [("a", "core.noop", "{}"), ("b", "core.log", """{"message":"here"}"""), ("c", "core.noop", "{}")]);

    private static readonly string Gate = Workflows.Chain(
        "gate", [("gate", "core.approvalGate", """{"title":"Ship?","actions":["accept","reject"]}"""), ("after", "core.noop", "{}")]);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    public async Task A_replay_writes_the_log_of_its_source(long boundary)
    {
        await using var host = await EngineHost.StartAsync(new() { ["steps"] = Steps });
        var sourceId = await host.CreateAsync("""{"workflowId":"steps","inputs":{"x":1},"tags":["t"]}""");
        var source = await host.LogAsync(sourceId);
        var fork = await ForkAsync(host, sourceId, $$"""{"mode":"replay","fromSeq":{{boundary}}}""");
        Assert.Equal((sourceId, "replay", "pending", boundary), (fork.SourceRunId, fork.Mode, fork.Status, fork.FromSeq));
        var replay = await host.LogAsync(fork.RunId);
        Assert.Equal(source.Select(Said), replay.Select(Said));
        Assert.Equal(source.Take((int)boundary).Select(At), replay.Take((int)boundary).Select(At));
        Assert.All(replay, @event => Assert.Equal(fork.RunId, @event.GetProperty("runId").GetString()));
        Assert.Empty(source.Select(IdOf).Intersect(replay.Select(IdOf)));
        var snapshot = await host.SnapshotAsync(fork.RunId);
        Assert.Equal(sourceId, snapshot.GetProperty("sourceRunId").GetString());
        Assert.Equal(boundary, snapshot.GetProperty("fromSeq").GetInt64());
        Assert.Equal("replay", snapshot.GetProperty("forkMode").GetString());
        Assert.False((await host.SnapshotAsync(sourceId)).TryGetProperty("sourceRunId", out _));
    }

    [Theory]
    [InlineData("conformance-dispatch-loop")]
    [InlineData("conformance-agent-reasoning")]
    [InlineData("conformance-conversation-replay")]
    [InlineData("conformance-message-reducer")]
    [InlineData("conformance-subworkflow-parent")]
    public async Task A_replay_repeats_children_agents_and_conversations(string workflowId)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures([workflowId, "conformance-noop", "conformance-subworkflow-child"]));
        var sourceId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        var source = await host.LogAsync(sourceId);
        for (var boundary = 0; boundary < source.Count; boundary++)
        {
            var replayId = (await ForkAsync(host, sourceId, $$"""{"mode":"replay","fromSeq":{{boundary}}}""")).RunId;
            var replay = await host.LogAsync(replayId);
            Assert.Equal(source.Select(Workflows.TypeOf), replay.Select(Workflows.TypeOf));
            Assert.Equal(source.Select(Cause), replay.Select(Cause));
            Assert.Equal(Channels(await host.SnapshotAsync(sourceId)), Channels(await host.SnapshotAsync(replayId)));
        }

        static string? Cause(JsonElement @event) => @event.TryGetProperty("causationId", out var cause) ? cause.GetString()!.Split('-')[^1] : null;
        static string? Channels(JsonElement snapshot) => snapshot.TryGetProperty("channels", out var channels) ? channels.GetRawText() : null;
    }

    [Fact]
    public async Task A_replay_answers_as_its_source_was_answered_and_a_branch_asks_again()
    {
        await using var host = await EngineHost.StartAsync(new() { ["gate"] = Gate });
        var sourceId = await host.CreateAsync("""{"workflowId":"gate"}""");
        await host.AnswerAsync(sourceId, "gate", """{"action":"accept","voter":"a"}""");
        var source = await host.LogAsync(sourceId);
        for (var boundary = 0; boundary < source.Count; boundary++)
        {
            var replay = await host.LogAsync((await ForkAsync(host, sourceId, $$"""{"mode":"replay","fromSeq":{{boundary}}}""")).RunId);
            Assert.Equal(source.Select(Said), replay.Select(Said));
        }

        var branch = await ForkAsync(host, sourceId, """{"mode":"branch","fromSeq":2}""");
        await host.SnapshotAsync(branch.RunId, "waiting-approval");
        Assert.Equal("failed", await Answered(host, branch.RunId));

        var answered = source.FindIndex(@event => Workflows.TypeOf(@event) == "interrupt.resolved");
        var later = await ForkAsync(host, sourceId, $$"""{"mode":"branch","fromSeq":{{answered + 1}}}""");
        Assert.Equal("completed", (await host.WaitForEndAsync(later.RunId)).Status);
    }

    [Fact]
    public async Task A_branch_goes_on_with_what_is_laid_over_its_options()
    {
        var workflow = Workflows.Chain("w", [("a", "core.noop", "{}"), ("t", "core.transform", """{"expression":"run.configurable"}""")]);
        await using var host = await EngineHost.StartAsync(new() { ["w"] = workflow });
        var sourceId = await host.CreateAsync("""{"workflowId":"w","configurable":{"x":1,"y":1},"tags":["old"],"metadata":{"m":1}}""");
        var source = await host.LogAsync(sourceId);
        var fork = await ForkAsync(host, sourceId, """{"mode":"branch","fromSeq":3,"runOptionsOverlay":{"configurable":{"x":2},"tags":["new"],"metadata":{"n":2}}}""");
        var branch = await host.LogAsync(fork.RunId);
        Assert.Equal(source.Take(3).Select(Said), branch.Take(3).Select(Said));
        Assert.Contains("""{"y":1,"x":2}""", branch.Single(@event => Workflows.TypeOf(@event) == "node.completed" && @event.GetProperty("nodeId").ValueEquals("t")).GetRawText(), StringComparison.Ordinal);
        var snapshot = await host.SnapshotAsync(fork.RunId);
        Assert.Equal("""["new"]""", snapshot.GetProperty("tags").GetRawText());
        Assert.Equal("""{"m":1,"n":2}""", snapshot.GetProperty("metadata").GetRawText());

        // What a fork of the fork starts with is what the fork runs with.
        var again = await ForkAsync(host, fork.RunId, """{"mode":"replay","fromSeq":2}""");
        Assert.Equal(branch.Select(Said), (await host.LogAsync(again.RunId)).Select(Said));
        Assert.Equal("""["new"]""", (await host.SnapshotAsync(again.RunId)).GetProperty("tags").GetRawText());
    }

    [Fact]
    public async Task An_effect_is_repeated_by_a_branch_and_not_by_a_replay()
    {
        using var server = new HttpListener();
        var port = FreePort();
        server.Prefixes.Add($"http://127.0.0.1:{port}/");
        server.Start();
        var calls = 0;
        var serving = Task.Run(async () =>
        {
            while (true)
            {
                var context = await server.GetContextAsync();
                Interlocked.Increment(ref calls);
                context.Response.StatusCode = 200;
                context.Response.Close();
            }
        });
        var workflow = Workflows.Chain("call", [("a", "core.noop", "{}"), ("call", "core.http.request", $$"""{"url":"http://127.0.0.1:{{port}}/","method":"POST"}"""), ("b", "core.noop", "{}")]);
        await using var host = await EngineHost.StartAsync(new() { ["call"] = workflow }, arguments: ["--OPENWOP_EGRESS_ALLOW_PRIVATE=true"]);
        var sourceId = await host.CreateAsync("""{"workflowId":"call"}""");
        var source = await host.LogAsync(sourceId);
        Assert.Equal(1, calls);
        var first = await ForkAsync(host, sourceId, """{"mode":"replay"}""");
        Assert.Equal(source.Select(Said), (await host.LogAsync(first.RunId)).Select(Said));
        var second = await ForkAsync(host, first.RunId, """{"mode":"replay","fromSeq":4}""");
        Assert.Equal(source.Select(Said), (await host.LogAsync(second.RunId)).Select(Said));
        Assert.Equal(1, calls);
        await host.WaitForEndAsync((await ForkAsync(host, sourceId, """{"mode":"branch","fromSeq":0}""")).RunId);
        Assert.Equal(2, calls);
        server.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Fact]
    public async Task A_run_may_be_forked_while_it_waits()
    {
        await using var host = await EngineHost.StartAsync(new() { ["gate"] = Gate });
        var sourceId = await host.CreateAsync("""{"workflowId":"gate"}""");
        var open = await host.EventsAsync(sourceId);
        var replay = await ForkAsync(host, sourceId, """{"mode":"replay"}""");
        await host.SnapshotAsync(replay.RunId, "waiting-approval");
        Assert.Equal(open.Select(Said), (await host.EventsAsync(replay.RunId)).Select(Said));

        // Nobody has answered the source yet, so the replay takes an answer of its own.
        await host.AnswerAsync(replay.RunId, "gate", """{"action":"accept"}""");
        await host.SnapshotAsync(replay.RunId, "completed");
        Assert.Equal("waiting-approval", await host.StatusAsync(sourceId));
    }

    [Theory]
    [InlineData("""{"mode":"branch"}""", StatusCode.InvalidArgument, "validation_error")]
    [InlineData("""{"mode":"replay","fromSeq":-1}""", StatusCode.InvalidArgument, "validation_error")]
    [InlineData("""{"mode":"replay","runOptionsOverlay":{"tags":["x"]}}""", StatusCode.InvalidArgument, "validation_error")]
    [InlineData("""{"mode":"again"}""", StatusCode.InvalidArgument, "validation_error")]
    [InlineData("""{"mode":"replay","fromSeq":8}""", StatusCode.InvalidArgument, "sequence_not_found")]
    public async Task A_fork_that_cannot_be_is_refused(string body, StatusCode status, string code)
    {
        await using var host = await EngineHost.StartAsync(new() { ["steps"] = Steps });
        var sourceId = await host.CreateAsync("""{"workflowId":"steps"}""");
        var log = await host.LogAsync(sourceId);
        body = body.Replace("\"fromSeq\":8", $"\"fromSeq\":{log.Count}", StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<RpcException>(() => ForkAsync(host, sourceId, body));
        Assert.Equal(status, refused.StatusCode);
        Assert.Contains(code, refused.Trailers.GetValueBytes("grpc-status-details-bin") is { } details ? System.Text.Encoding.UTF8.GetString(details) : "", StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<RpcException>(() => ForkAsync(host, "run-unknown", body));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task The_same_request_makes_one_fork()
    {
        await using var host = await EngineHost.StartAsync(new() { ["steps"] = Steps });
        var sourceId = await host.CreateAsync("""{"workflowId":"steps"}""");
        await host.WaitForEndAsync(sourceId);
        var first = await ForkAsync(host, sourceId, """{"mode":"replay"}""", "same");
        var second = await ForkAsync(host, sourceId, """{"mode":"replay"}""", "same");
        Assert.Equal(first.RunId, second.RunId);
        Assert.Equal((false, true), (first.Replayed, second.Replayed));
        Assert.NotEqual(first.RunId, (await ForkAsync(host, sourceId, """{"mode":"replay"}""")).RunId);
    }

    private static async Task<string> Answered(EngineHost host, string runId)
    {
        await host.AnswerAsync(runId, "gate", """{"action":"reject","voter":"b"}""");
        return (await host.WaitForEndAsync(runId)).Status;
    }

    private static async Task<ForkRunReply> ForkAsync(EngineHost host, string runId, string body, string requestId = "") =>
        await host.Client.ForkRunAsync(new ForkRunRequest { RunId = runId, Body = ByteString.CopyFromUtf8(body), RequestId = requestId }, host.Headers);

    private static string IdOf(JsonElement @event) => @event.GetProperty("eventId").GetString()!;

    private static string At(JsonElement @event) => @event.GetProperty("timestamp").GetString()!;

    /// <summary>What an event says, without what is new in every run.</summary>
    private static string Said(JsonElement @event) => string.Join(
        ',',
        [
            Workflows.TypeOf(@event),
            @event.TryGetProperty("nodeId", out var nodeId) ? nodeId.GetString() : "",
            .. @event.GetProperty("payload").EnumerateObject().Where(member => member.Name is not ("interruptId" or "durationMs")).Select(member => member.ToString()),
        ]);

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
