using OpenWop.Micro.StandIns;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Tasks of a small peer over real HTTP.</summary>
public sealed class A2aTests : IAsyncLifetime
{
    private const string Fixture = "conformance-a2a-task-roundtrip";

    private StandInServer _standIns = null!;

    public async Task InitializeAsync() => _standIns = await StandInServer.StartAsync();

    public async Task DisposeAsync() => await _standIns.DisposeAsync();

    [Fact]
    public async Task A_task_is_followed_to_its_end()
    {
        await using var host = await StartAsync();
        var runId = await CreateAsync(host, "working,working,completed");
        var outputs = (await host.SnapshotAsync(runId, "completed")).GetProperty("outputs");
        Assert.Equal("<UNTRUSTED agent=\"Echo\">I am completed</UNTRUSTED>", outputs.GetProperty("text").GetString());
        Assert.Equal("working,working,completed", (string)Assert.Single(_standIns.Agent.Sent)["metadata"]!["driftScenario"]!);
    }

    [Fact]
    public async Task A_peer_that_needs_a_credential_makes_the_run_wait_and_gets_the_answer()
    {
        await using var host = await StartAsync();
        var runId = await CreateAsync(host, "TASK_STATE_AUTH_REQUIRED");
        await host.SnapshotAsync(runId, "waiting-input");
        var asked = (await host.EventsAsync(runId)).Single(@event => Workflows.TypeOf(@event) == "interrupt.requested").GetProperty("payload").GetProperty("data");
        Assert.Equal("a2a.auth-required", asked.GetProperty("customKind").GetString());
        Assert.Equal("auth", asked.GetProperty("payload").GetProperty("metadata").GetProperty("subkind").GetString());
        await host.AnswerAsync(runId, "a2a-invoke", "\"granted\"");
        await host.SnapshotAsync(runId, "completed");
        Assert.Equal(2, _standIns.Agent.Sent.Count);
        var answer = _standIns.Agent.Sent.Last()["message"]!;
        Assert.Equal((asked.GetProperty("payload").GetProperty("taskId").GetString(), "granted"), ((string?)answer["taskId"], (string?)answer["parts"]![0]!["text"]));
    }

    [Theory]
    [InlineData("REJECTED", "rejected_by_remote")]
    [InlineData("failed", "external_call_failed")]
    public async Task A_task_that_comes_to_nothing_fails_the_run(string state, string code)
    {
        await using var host = await StartAsync();
        var snapshot = await host.SnapshotAsync(await CreateAsync(host, state), "failed");
        Assert.Equal(code, snapshot.GetProperty("error").GetProperty("code").GetString());
        Assert.True(state != "REJECTED" || snapshot.GetRawText().Contains("rejected", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_task_that_the_peer_cancels_cancels_the_run_and_its_replays()
    {
        await using var host = await StartAsync();
        var runId = await CreateAsync(host, "canceled");
        await host.SnapshotAsync(runId, "cancelled");
        var log = await host.LogAsync(runId);
        Assert.Equal("cancelled_by_remote", log[^1].GetProperty("payload").GetProperty("reason").GetString());
        var fork = await host.Client.ForkRunAsync(new Contracts.Runs.V1.ForkRunRequest { RunId = runId, Body = Google.Protobuf.ByteString.CopyFromUtf8("""{"mode":"replay"}""") }, host.Headers);
        Assert.Equal(log.Select(Workflows.TypeOf), (await host.LogAsync(fork.RunId)).Select(Workflows.TypeOf));
        Assert.Single(_standIns.Agent.Sent);
    }

    [Fact]
    public async Task A_task_outlives_the_process_and_is_not_given_twice()
    {
        var host = await StartAsync();
        var runId = await CreateAsync(host, "working");
        await OpenWop.Micro.Testing.Eventually.TrueAsync(() => Task.FromResult(_standIns.Agent.Sent.Count > 0));
        var folder = await host.StopAsync();
        _standIns.Agent.Complete();
        await using var next = await EngineHost.StartAsync([], folder, [$"--OPENWOP_A2A_PEER={_standIns.Url}"]);
        await next.SnapshotAsync(runId, "completed");
        Assert.Single(_standIns.Agent.Sent.Select(sent => (string)sent["message"]!["messageId"]!).Distinct());
    }

    private Task<EngineHost> StartAsync() => EngineHost.StartAsync(Workflows.Fixtures(Fixture), arguments: [$"--OPENWOP_A2A_PEER={_standIns.Url}"]);

    private static Task<string> CreateAsync(EngineHost host, string states) =>
        host.CreateAsync($$"""{"workflowId":"{{Fixture}}","inputs":{"driftScenario":"{{states}}"} }""");
}
