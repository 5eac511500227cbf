using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>Versions of the engine, of node code, and what a run has cost.</summary>
public sealed class VersionTests
{
    private const string Settings = "{}";

    [Fact]
    public async Task The_first_answer_about_a_change_is_recorded_and_holds_for_the_run()
    {
        await using var host = await EngineHost.StartAsync([]);
        var run = await host.StoreAndCreateAsync(
            "pins", $"{Pin("a", 1, 3)},{Pin("b", 2, 7)}", """{"id":"1","sourceNodeId":"a","targetNodeId":"b"}""", Settings, "{}");
        var events = (await host.WaitForEndAsync(run)).Events.Select(document => JsonElement.Parse(document.Span)).ToList();

        var pinned = Assert.Single(events, document => document.GetProperty("type").ValueEquals("version.pinned"));
        Assert.Equal("""{"changeId":"change","version":3,"nodeId":"a"}""", pinned.GetProperty("payload").GetRawText());
        Assert.Equal(3, OutputOf(events, "a"));
        Assert.Equal(3, OutputOf(events, "b"));
    }

    [Fact]
    public async Task Code_that_does_not_know_the_recorded_version_fails_and_says_so()
    {
        await using var host = await EngineHost.StartAsync([]);
        var run = await host.StoreAndCreateAsync(
            "out-of-range", $"{Pin("a", 1, 3)},{Pin("b", 4, 7)}", """{"id":"1","sourceNodeId":"a","targetNodeId":"b"}""", Settings, "{}");
        var failed = (await host.WaitForEndAsync(run)).Events.Select(document => JsonElement.Parse(document.Span)).Single(document => document.GetProperty("type").ValueEquals("node.failed"));
        var error = failed.GetProperty("payload").GetProperty("error");
        Assert.Equal("version_out_of_range", error.GetProperty("code").GetString());
        Assert.Equal(
            (3, 4, 7),
            (error.GetProperty("details").GetProperty("pinnedVersion").GetInt32(), error.GetProperty("details").GetProperty("currentMin").GetInt32(), error.GetProperty("details").GetProperty("currentMax").GetInt32()));
    }

    [Fact]
    public async Task A_replay_follows_the_version_of_its_source()
    {
        await using var host = await EngineHost.StartAsync([]);
        var run = await host.StoreAndCreateAsync("replayed-pins", Pin("a", 1, 3), "", Settings, "{}");
        await host.WaitForEndAsync(run);
        await host.StoreAndCreateAsync("replayed-pins", Pin("a", 1, 9), "", Settings, "{}");

        var fork = await host.Client.ForkRunAsync(new ForkRunRequest { RunId = run, Body = ByteString.CopyFromUtf8("""{"mode":"replay","fromSeq":0}""") }, host.Headers);
        var events = (await host.WaitForEndAsync(fork.RunId)).Events.Select(document => JsonElement.Parse(document.Span)).ToList();
        Assert.Equal(3, Assert.Single(events, document => document.GetProperty("type").ValueEquals("version.pinned")).GetProperty("payload").GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_forced_engine_version_is_on_every_event_and_another_one_is_refused()
    {
        await using var host = await EngineHost.StartAsync([]);
        await host.WaitForEndAsync(await host.StoreAndCreateAsync("forced", """{"id":"a","typeId":"core.noop"}""", "", Settings, "{}"));
        var body = ByteString.CopyFromUtf8("""{"workflowId":"forced"}""");

        var created = await host.Client.CreateRunAsync(new CreateRunRequest { Body = body, ForceEngineVersion = 0 }, host.Headers);
        Assert.All((await host.WaitForEndAsync(created.RunId)).Events, document => Assert.Equal("0", JsonElement.Parse(document.Span).GetProperty("engineVersion").GetString()));
        Assert.Equal("completed", await host.StatusAsync(created.RunId));

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.CreateRunAsync(new CreateRunRequest { Body = body, ForceEngineVersion = 2 }, host.Headers));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Costs_add_up_and_only_those_that_are_listed()
    {
        await using var host = await EngineHost.StartAsync([]);
        const string Attributes = """{"openwop.cost.tokens.input":100,"openwop.cost.tokens.output":50,"openwop.cost.usd":0.25,"openwop.cost.provider":"anthropic","openwop.cost.evil":"x","openwop.cost.tokens.total":-1}""";
        var run = await host.StoreAndCreateAsync(
            "costs",
            $$"""{"id":"a","typeId":"conformance.cost.emit","config":{"attrs":{{Attributes}} } },{"id":"b","typeId":"conformance.cost.emit","config":{"attrs":{"openwop.cost.tokens.input":1,"openwop.cost.usd":"much"} } }""",
            """{"id":"1","sourceNodeId":"a","targetNodeId":"b"}""", Settings, "{}");
        await host.WaitForEndAsync(run);
        var snapshot = JsonElement.Parse((await host.Client.GetRunAsync(new GetRunRequest { RunId = run }, host.Headers)).Snapshot.Span);
        Assert.Equal("""{"openwopCost":{"usd":0.25,"tokens":{"input":101,"output":50},"provider":"anthropic"}}""", snapshot.GetProperty("metrics").GetRawText());
        Assert.DoesNotContain("evil", snapshot.GetRawText(), StringComparison.Ordinal);
    }

    private static int OutputOf(IEnumerable<JsonElement> events, string node) => events
        .Single(document => document.GetProperty("type").ValueEquals("node.completed") && document.GetProperty("nodeId").ValueEquals(node))
        .GetProperty("payload").GetProperty("outputs").GetProperty("version").GetInt32();

    private static string Pin(string id, int min, int max) =>
        $$"""{"id":"{{id}}","typeId":"conformance.version.pin","config":{"changeId":"change","min":{{min}},"max":{{max}} } }""";
}
