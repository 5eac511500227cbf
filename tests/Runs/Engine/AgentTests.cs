using System.Text.Json;
using Grpc.Core;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class AgentTests
{
    [Fact]
    public async Task An_agent_reasons_calls_tools_hands_off_and_decides_in_this_order()
    {
        var log = await RunAsync("conformance-agent-reasoning");
        var events = log.Where(@event => Workflows.TypeOf(@event).StartsWith("agent.", StringComparison.Ordinal)).ToList();
        Assert.Equal(["agent.reasoned", "agent.toolCalled", "agent.toolReturned", "agent.handoff", "agent.decided"], events.Select(Workflows.TypeOf));
        Assert.All(events, @event => Assert.Equal("core.conformance.reasoning-agent", @event.GetProperty("payload").GetProperty("agentId").GetString()));
        Assert.Equal(events[1].GetProperty("payload").GetProperty("callId").GetString(), events[2].GetProperty("payload").GetProperty("callId").GetString());
        Assert.Equal(events[1].GetProperty("eventId").GetString(), events[2].GetProperty("causationId").GetString());
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
    }

    [Fact]
    public async Task Reasoning_comes_in_pieces_and_then_as_a_whole()
    {
        var log = await RunAsync("conformance-agent-reasoning-streaming");
        var deltas = log.Where(@event => Workflows.TypeOf(@event) == "agent.reasoning.delta").Select(@event => @event.GetProperty("payload")).ToList();
        Assert.Equal([0, 1, 2], deltas.Select(delta => delta.GetProperty("sequence").GetInt32()));
        var reasoned = log.Single(@event => Workflows.TypeOf(@event) == "agent.reasoned").GetProperty("payload").GetProperty("reasoning").GetString();
        Assert.Equal(string.Concat(deltas.Select(delta => delta.GetProperty("delta").GetString())), reasoned);
    }

    [Fact]
    public async Task A_decision_that_an_agent_is_not_sure_of_waits_for_a_person()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-agent-low-confidence"));
        var runId = await host.CreateAsync("""{"workflowId":"conformance-agent-low-confidence"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        var types = (await host.EventsAsync(runId)).ConvertAll(Workflows.TypeOf);
        Assert.True(types.IndexOf("agent.decided") < types.IndexOf("node.suspended"));
        await host.AnswerAsync(runId, "low-conf-decider", """{"action":"accept"}""");
        var log = await host.LogAsync(runId);
        Assert.Equal("run.completed", Workflows.TypeOf(log[^1]));
        Assert.Single(log, @event => Workflows.TypeOf(@event) == "agent.decided");
    }

    [Theory]
    [InlineData("conformance-agent-identity", "core.conformance.identity-agent", null)]
    [InlineData("conformance-agent-pack-provenance", "core.conformance.pack-installed-agent", "core.conformance.agent-pack.installed-agent")]
    public async Task The_agent_of_a_node_shows_in_the_snapshot(string workflowId, string agentId, string? manifest)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures(workflowId));
        var runId = await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}""");
        await host.LogAsync(runId);
        var agent = (await host.SnapshotAsync(runId)).GetProperty("agent");
        Assert.Equal(agentId, agent.GetProperty("agentId").GetString());
        Assert.Equal(manifest, agent.TryGetProperty("sourceManifestId", out var source) ? source.GetString() : null);
    }

    [Fact]
    public async Task An_agent_by_deployment_channel_is_refused()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-agent-channel-dispatch"));
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.CreateAsync("""{"workflowId":"conformance-agent-channel-dispatch"}"""));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task A_mock_agent_refuses_to_run_elsewhere()
    {
        await using var host = await EngineHost.StartAsync(new() { ["w"] = Workflows.Chain("w", [("a", "core.conformance.mock-agent", """{"mockReasoning":true}""")]) });
        var log = await host.LogAsync(await host.CreateAsync("""{"workflowId":"w"}"""));
        Assert.Equal("run.failed", Workflows.TypeOf(log[^1]));
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event).StartsWith("agent.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_whose_capability_is_missing_never_starts()
    {
        var log = await RunAsync("conformance-capability-missing");
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event) == "node.started");
        var error = log[^1].GetProperty("payload").GetProperty("error");
        Assert.Equal("capability_not_provided", error.GetProperty("code").GetString());
        Assert.Contains("conformance.never-provided", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conformance-conversation-lifecycle", 1)]
    [InlineData("conformance-conversation-replay", 3)]
    [InlineData("conformance-conversation-vs-clarification", 1)]
    public async Task A_conversation_is_opened_held_and_closed_under_one_id(string workflowId, int exchanges)
    {
        var log = await RunAsync(workflowId);
        var events = log.Where(@event => Workflows.TypeOf(@event).StartsWith("conversation.", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            ["conversation.opened", .. Enumerable.Repeat("conversation.exchanged", exchanges), "conversation.closed"],
            events.Select(Workflows.TypeOf));
        Assert.Single(events.Select(@event => @event.GetProperty("payload").GetProperty("conversationId").GetString()).Distinct());
        Assert.DoesNotContain(log, @event => Workflows.TypeOf(@event).StartsWith("clarification.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_runs_of_a_mocked_conversation_fold_the_same_messages()
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures("conformance-conversation-replay"));
        var channels = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var runId = await host.CreateAsync("""{"workflowId":"conformance-conversation-replay"}""");
            await host.LogAsync(runId);
            channels.Add((await host.SnapshotAsync(runId)).GetProperty("channels").GetRawText());
        }

        Assert.Equal(channels[0], channels[1]);
        Assert.Equal(4, JsonElement.Parse(channels[0]).GetProperty("conversation").GetArrayLength());
    }

    [Fact]
    public async Task A_conversation_waits_for_each_answer_and_goes_on_when_it_is_closed()
    {
        await using var host = await EngineHost.StartAsync(new()
        {
            ["w"] = Workflows.Chain(
                "w",
                [("talk", "core.conversationGate", """{"prompt":"Name?","turnCount":2,"outcomeSchema":{"type":"string"}}""")],
                more: """
                "channels":{"messages":{"reducer":"message"}}
                """),
        });
        var runId = await host.CreateAsync("""{"workflowId":"w"}""");
        await host.SnapshotAsync(runId, "waiting-approval");
        var events = await host.EventsAsync(runId);
        var suspended = events.Single(@event => Workflows.TypeOf(@event) == "node.suspended");
        Assert.Equal("conversation-input", suspended.GetProperty("payload").GetProperty("reason").GetString());
        Assert.Equal(suspended.GetProperty("eventId").GetString(), events.Single(@event => Workflows.TypeOf(@event) == "conversation.opened").GetProperty("causationId").GetString());
        await Assert.ThrowsAsync<RpcException>(async () => await host.AnswerAsync(runId, "talk", "1"));
        await host.AnswerAsync(runId, "talk", "\"Ada\"");
        Assert.Equal(2, (await host.SnapshotAsync(runId)).GetProperty("channels").GetProperty("messages").GetArrayLength());
        await host.AnswerAsync(runId, "talk", "\"Lovelace\"");
        var log = await host.LogAsync(runId);
        Assert.Equal(
            ["conversation.opened", "conversation.exchanged", "conversation.exchanged", "conversation.closed"],
            log.Select(Workflows.TypeOf).Where(type => type.StartsWith("conversation.", StringComparison.Ordinal)));
        Assert.Contains("Lovelace", log.Single(@event => Workflows.TypeOf(@event) == "node.completed").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_that_nobody_goes_on_with_is_closed_without_an_outcome()
    {
        await using var host = await EngineHost.StartAsync(new() { ["w"] = Workflows.Chain("w", [("talk", "core.conversationGate", """{"prompt":"Name?","timeoutMs":100}""")]) });
        var log = await host.LogAsync(await host.CreateAsync("""{"workflowId":"w"}"""));
        var closed = log.Single(@event => Workflows.TypeOf(@event) == "conversation.closed").GetProperty("payload");
        Assert.Equal(JsonValueKind.Null, closed.GetProperty("outcome").ValueKind);
        Assert.Equal("system", closed.GetProperty("finalTurn").GetProperty("role").GetString());
        Assert.Equal("interrupt_timeout", log[^1].GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    private static async Task<List<JsonElement>> RunAsync(string workflowId)
    {
        await using var host = await EngineHost.StartAsync(Workflows.Fixtures(workflowId));
        return await host.LogAsync(await host.CreateAsync($$"""{"workflowId":"{{workflowId}}"}"""));
    }
}
