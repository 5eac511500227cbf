using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Storage;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class SignalTests
{
    private const string Parent = "conformance-interrupt-parent-child-cancel";
    private const string Child = "conformance-interrupt-parent-child-cancel-child";

    [Fact]
    public async Task A_wait_for_a_child_outlives_the_process()
    {
        var host = await EngineHost.StartAsync(Workflows.Fixtures(Parent, Child));
        var (runId, childId) = await StartAsync(host);
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        Assert.Equal("waiting-approval", await second.StatusAsync(runId));
        await second.AnswerAsync(childId, "child-gate", """{"action":"accept"}""");
        Assert.Equal("run.completed", Workflows.TypeOf((await second.LogAsync(runId))[^1]));
        Assert.Empty(await SignalsAsync(second, runId));
    }

    [Fact]
    public async Task A_report_that_has_to_wait_outlives_the_process()
    {
        var host = await EngineHost.StartAsync(Workflows.Fixtures(Parent, Child));
        var (runId, childId) = await StartAsync(host);
        await host.Client.PauseRunAsync(new PauseRunRequest { RunId = runId }, host.Headers);
        await host.AnswerAsync(childId, "child-gate", """{"action":"accept"}""");
        await host.LogAsync(childId);
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        Assert.NotEmpty(await SignalsAsync(second, runId));
        await second.Client.ResumeRunAsync(new ResumeRunRequest { RunId = runId }, second.Headers);
        Assert.Equal("run.completed", Workflows.TypeOf((await second.LogAsync(runId))[^1]));
        Assert.Empty(await SignalsAsync(second, runId));
    }

    [Fact]
    public async Task A_signal_that_was_committed_and_never_delivered_is_delivered_by_the_next_owner()
    {
        var host = await EngineHost.StartAsync(Workflows.Fixtures(Parent, Child));
        var (runId, childId) = await StartAsync(host);
        await WriteAsync(host, new RunSignal.Cancel(childId, runId, 999, "parent-cancelled"));
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        Assert.Equal("run.cancelled", Workflows.TypeOf((await second.LogAsync(childId))[^1]));
        var last = (await second.LogAsync(runId))[^1];
        Assert.Equal("child_cancelled", last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_repeated_signal_decides_nothing()
    {
        var host = await EngineHost.StartAsync(Workflows.Fixtures(Parent, Child));
        var (runId, childId) = await StartAsync(host);
        await host.AnswerAsync(childId, "child-gate", """{"action":"accept"}""");
        var log = await host.LogAsync(runId);
        await WriteAsync(host, new RunSignal.ChildReport(runId, childId, 1, "spawn-child", 0, "waiting-approval", null));
        await WriteAsync(host, new RunSignal.Cancel(childId, runId, 999, "parent-cancelled"));
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        await OpenWop.Micro.Testing.Eventually.TrueAsync(async () => (await SignalsAsync(second, runId)).Count + (await SignalsAsync(second, childId)).Count == 0);
        Assert.Equal(log.Count, (await second.EventsAsync(runId)).Count);
        Assert.Equal("completed", await second.StatusAsync(childId));
    }

    [Fact]
    public async Task A_child_that_its_parent_does_not_know_is_ended()
    {
        var host = await EngineHost.StartAsync(Workflows.Fixtures(Parent, Child));
        var (runId, _) = await StartAsync(host);
        var (_, orphanId) = await StartAsync(host);
        await WriteAsync(host, new RunSignal.ChildReport(runId, orphanId, 0, "another-node", 0, "running", null) { IsFirst = true });
        await using var second = await EngineHost.StartAsync([], await host.StopAsync());
        Assert.Equal("run.cancelled", Workflows.TypeOf((await second.LogAsync(orphanId))[^1]));
    }

    private static async Task<(string RunId, string ChildId)> StartAsync(EngineHost host)
    {
        var runId = await host.CreateAsync($$"""{"workflowId":"{{Parent}}"}""");
        JsonElement snapshot = await host.SnapshotAsync(runId, "waiting-approval");
        return (runId, snapshot.GetProperty("childRuns")[0].GetProperty("runId").GetString()!);
    }

    private static Task<List<RunSignal>> SignalsAsync(EngineHost host, string runId) =>
        host.Services.GetRequiredService<SignalStore>().OfRunAsync(runId, CancellationToken.None);

    private static Task WriteAsync(EngineHost host, RunSignal signal) => host.Services.GetRequiredKeyedService<Database>("runs").WriteAsync(
        session =>
        {
            SignalStore.Write(session, [signal], [], now: 0);
            return Task.CompletedTask;
        },
        CancellationToken.None);
}
