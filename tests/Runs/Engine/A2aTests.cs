using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Tasks of a small peer over real HTTP.</summary>
public sealed class A2aTests : IAsyncLifetime
{
    private const string Fixture = "conformance-a2a-task-roundtrip";

    private readonly ConcurrentQueue<string> _states = new();
    private readonly ConcurrentQueue<JsonNode> _sent = new();
    private WebApplication _peer = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _peer = builder.Build();
        _peer.MapGet("/.well-known/agent-card.json", () => Results.Json(new { name = "Echo", url = $"{_peer.Urls.Single()}/rpc", skills = new[] { new { id = "echo" } } }));
        _peer.MapPost("/rpc", async (HttpContext context) =>
        {
            var call = (await JsonNode.ParseAsync(context.Request.Body))!;
            var answers = (string)call["method"]! == "message/send";
            if (answers)
                _sent.Enqueue(call["params"]!);
            if (call["params"]!["message"]?["taskId"] is not null)
                _states.Clear();

            // The last state stays.
            var state = !answers && _states.Count > 1 && _states.TryDequeue(out var next) ? next : _states.TryPeek(out var last) ? last : "completed";
            return Results.Json(new
            {
                jsonrpc = "2.0",
                id = (string)call["id"]!,
                result = new
                {
                    kind = "task",
                    id = "task-1",
                    contextId = "context-1",
                    status = new { state, message = new { role = "agent", parts = new[] { new { kind = "text", text = $"I am {state}" } } } },
                },
            });
        });
        await _peer.StartAsync();
    }

    public async Task DisposeAsync() => await _peer.DisposeAsync();

    [Fact]
    public async Task A_task_is_followed_to_its_end()
    {
        await using var host = await StartAsync("working", "working", "completed");
        var runId = await host.CreateAsync($$"""{"workflowId":"{{Fixture}}","inputs":{"driftScenario":"slow"} }""");
        var outputs = (await host.SnapshotAsync(runId, "completed")).GetProperty("outputs");
        Assert.Equal("<UNTRUSTED agent=\"Echo\">I am completed</UNTRUSTED>", outputs.GetProperty("text").GetString());
        Assert.Equal("slow", (string)Assert.Single(_sent)["metadata"]!["driftScenario"]!);
    }

    [Fact]
    public async Task A_peer_that_needs_a_credential_makes_the_run_wait_and_gets_the_answer()
    {
        await using var host = await StartAsync("TASK_STATE_AUTH_REQUIRED");
        var runId = await host.CreateAsync($$"""{"workflowId":"{{Fixture}}"}""");
        await host.SnapshotAsync(runId, "waiting-input");
        var asked = (await host.EventsAsync(runId)).Single(@event => Workflows.TypeOf(@event) == "interrupt.requested").GetProperty("payload").GetProperty("data");
        Assert.Equal("a2a.auth-required", asked.GetProperty("customKind").GetString());
        Assert.Equal("auth", asked.GetProperty("payload").GetProperty("metadata").GetProperty("subkind").GetString());
        await host.AnswerAsync(runId, "a2a-invoke", "\"granted\"");
        await host.SnapshotAsync(runId, "completed");
        Assert.Equal(2, _sent.Count);
        var answer = _sent.Last()["message"]!;
        Assert.Equal(("task-1", "granted"), ((string)answer["taskId"]!, (string)answer["parts"]![0]!["text"]!));
    }

    [Theory]
    [InlineData("REJECTED", "rejected_by_remote")]
    [InlineData("failed", "external_call_failed")]
    public async Task A_task_that_comes_to_nothing_fails_the_run(string state, string code)
    {
        await using var host = await StartAsync(state);
        var snapshot = await host.SnapshotAsync(await host.CreateAsync($$"""{"workflowId":"{{Fixture}}"}"""), "failed");
        Assert.Equal(code, snapshot.GetProperty("error").GetProperty("code").GetString());
        Assert.True(state != "REJECTED" || snapshot.GetRawText().Contains("rejected", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_task_that_the_peer_cancels_cancels_the_run_and_its_replays()
    {
        await using var host = await StartAsync("canceled");
        var runId = await host.CreateAsync($$"""{"workflowId":"{{Fixture}}"}""");
        await host.SnapshotAsync(runId, "cancelled");
        var log = await host.LogAsync(runId);
        Assert.Equal("cancelled_by_remote", log[^1].GetProperty("payload").GetProperty("reason").GetString());
        var fork = await host.Client.ForkRunAsync(new Contracts.Runs.V1.ForkRunRequest { RunId = runId, Body = Google.Protobuf.ByteString.CopyFromUtf8("""{"mode":"replay"}""") }, host.Headers);
        Assert.Equal(log.Select(Workflows.TypeOf), (await host.LogAsync(fork.RunId)).Select(Workflows.TypeOf));
        Assert.Single(_sent);
    }

    [Fact]
    public async Task A_task_outlives_the_process_and_is_not_given_twice()
    {
        var host = await StartAsync("working");
        var runId = await host.CreateAsync($$"""{"workflowId":"{{Fixture}}"}""");
        await OpenWop.Micro.Testing.Eventually.TrueAsync(() => Task.FromResult(!_sent.IsEmpty));
        var folder = await host.StopAsync();
        _states.Clear();
        await using var next = await EngineHost.StartAsync([], folder, [$"--OPENWOP_A2A_PEER={_peer.Urls.Single()}"]);
        await next.SnapshotAsync(runId, "completed");
        Assert.Single(_sent.Select(sent => (string)sent["message"]!["messageId"]!).Distinct());
    }

    private async Task<EngineHost> StartAsync(params string[] states)
    {
        foreach (var state in states)
            _states.Enqueue(state);

        return await EngineHost.StartAsync(Workflows.Fixtures(Fixture), arguments: [$"--OPENWOP_A2A_PEER={_peer.Urls.Single()}"]);
    }
}
