using System.Text.Json;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

/// <summary>What a definition can express, played on the real engine: rules, conditions, ports, loops, failures.</summary>
public sealed class DefinitionFeatureTests : IAsyncLifetime
{
    private EngineHost host = null!;

    public async Task InitializeAsync() => host = await EngineHost.StartAsync([]);

    public async Task DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_loop_runs_its_body_as_often_as_it_says_and_goes_on_after_it()
    {
        var log = await RunAsync(
            "loop",
            """
            {"id":"head","typeId":"core.loop","config":{"mode":"count","count":3}},
            {"id":"body","typeId":"core.transform","config":{"expression":"nodes.head.index * 10"}},
            {"id":"after","typeId":"core.end"}
            """,
            """
            {"id":"b","sourceNodeId":"head","sourceOutput":"body","targetNodeId":"body"},
            {"id":"r","sourceNodeId":"body","targetNodeId":"head"},
            {"id":"d","sourceNodeId":"head","sourceOutput":"done","targetNodeId":"after"}
            """);
        Assert.Equal(["0", "10", "20"], log.OutputsOf("body").Select(output => output.GetProperty("output").GetRawText()));
        Assert.Equal(1, log.Count("node.started", "after"));
        Assert.Equal("completed", log.Status);
    }

    [Fact]
    public async Task A_back_edge_without_a_loop_node_is_bounded_by_the_workflow()
    {
        var log = await RunAsync(
            "bounded",
            """{"id":"a","typeId":"core.noop"},{"id":"b","typeId":"core.noop"}""",
            """{"id":"e","sourceNodeId":"a","targetNodeId":"b"},{"id":"r","sourceNodeId":"b","targetNodeId":"a"}""",
            settings: """{"maxLoopbackIterations":2}""");
        Assert.Equal(3, log.Count("node.started", "a"));
        Assert.Equal(1, log.Count("workflow.loopback-limit", "a"));
        Assert.Equal("failed", log.Status);
        Assert.Equal("loop_limit_exceeded", log.Last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(5, "small", "large")]
    [InlineData(50, "large", "small")]
    public async Task A_condition_takes_one_branch_and_the_join_goes_on_with_it(int amount, string taken, string skipped)
    {
        var log = await RunAsync(
            "choice",
            """
            {"id":"ask","typeId":"core.conditional","config":{"expression":"inputs.amount > 10"}},
            {"id":"large","typeId":"core.noop"},{"id":"small","typeId":"core.noop"},
            {"id":"join","typeId":"core.merge"}
            """,
            """
            {"id":"t","sourceNodeId":"ask","sourceOutput":"true","targetNodeId":"large"},
            {"id":"f","sourceNodeId":"ask","sourceOutput":"false","targetNodeId":"small"},
            {"id":"j1","sourceNodeId":"large","targetNodeId":"join"},{"id":"j2","sourceNodeId":"small","targetNodeId":"join"}
            """,
            inputs: $$"""{"amount":{{amount}}}""");
        Assert.Equal(1, log.Count("node.completed", taken));
        Assert.Equal(1, log.Count("node.skipped", skipped));
        Assert.Equal(1, log.Count("node.completed", "join"));
        Assert.Equal("completed", log.Status);
    }

    [Theory]
    [InlineData("any_failed", "ran", "completed")]
    [InlineData("all_complete", "ran", "completed")]
    [InlineData("all_success", "never", "failed")]
    [InlineData("any_success", "never", "failed")]
    [InlineData("none_failed", "never", "failed")]
    public async Task The_rule_of_an_edge_says_what_follows_a_failure(string rule, string handler, string status)
    {
        var log = await RunAsync(
            "rules",
            """{"id":"fail","typeId":"core.fail"},{"id":"handler","typeId":"core.noop"}""",
            $$"""{"id":"e","sourceNodeId":"fail","targetNodeId":"handler","triggerRule":"{{rule}}"}""");
        Assert.Equal(handler == "ran" ? 1 : 0, log.Count("node.completed", "handler"));
        Assert.Equal(status, log.Status);
    }

    [Theory]
    [InlineData("""{"type":"equals","left":"output.state","right":"paid"}""", true)]
    [InlineData("""{"type":"notEquals","left":"output.state","right":"paid"}""", false)]
    [InlineData("""{"type":"contains","left":"output.tags","right":"vip"}""", true)]
    [InlineData("""{"type":"regex","left":"output.state","right":"^p.+d$"}""", true)]
    [InlineData("""{"type":"expression","expression":"output.total > 99"}""", false)]
    [InlineData("{}", true)]
    public async Task A_condition_on_an_edge_looks_at_its_source(string condition, bool followed)
    {
        var log = await RunAsync(
            "conditions",
            """
            {"id":"order","typeId":"core.transform","config":{"expression":"{\"state\": \"paid\", \"tags\": [\"vip\"], \"total\": 42}"}},
            {"id":"next","typeId":"core.noop"}
            """,
            $$"""{"id":"e","sourceNodeId":"order","targetNodeId":"next","condition":{{condition}}}""");
        Assert.Equal(followed ? 1 : 0, log.Count("node.completed", "next"));
        Assert.Equal(followed ? 0 : 1, log.Count("node.skipped", "next"));
        Assert.Equal("completed", log.Status);
    }

    [Fact]
    public async Task Ports_take_values_of_all_four_kinds_and_optional_ones_may_be_missing()
    {
        var log = await RunAsync(
            "ports",
            """
            {"id":"source","typeId":"core.transform","config":{"expression":"7"}},
            {"id":"echo","typeId":"core.identity","inputs":{
              "literal":{"type":"static","value":{"a":[1,2.50]}},
              "computed":{"type":"expression","expression":"inputs.n + 1"},
              "linked":{"type":"connection","nodeId":"source","outputKey":"output"},
              "named":{"type":"variable","variableName":"n"},
              "absent":{"type":"variable","variableName":"nothing","optional":true}}}
            """,
            """{"id":"e","sourceNodeId":"source","targetNodeId":"echo"}""",
            inputs: """{"n":41}""");
        Assert.Equal("""{"computed":42,"linked":7,"literal":{"a":[1,2.50]},"named":41}""", log.OutputsOf("echo").Single().GetRawText());
    }

    [Fact]
    public async Task An_unresolved_port_fails_the_node_before_any_effect()
    {
        var log = await RunAsync("unresolved", """{"id":"echo","typeId":"core.identity","inputs":{"x":{"type":"variable","variableName":"nothing"}}}""", "");
        Assert.Equal("input_unresolved", log.Last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Retries_wait_longer_each_time_and_the_run_time_is_bounded()
    {
        var log = await RunAsync(
            "retries",
            """{"id":"flaky","typeId":"core.fail","config":{"failAttempts":3},"settings":{"maxRetries":3,"retryDelayMs":10,"retryBackoff":2}}""",
            "");
        Assert.Equal([10, 20, 40], log.Of("node.retried").Select(@event => @event.GetProperty("payload").GetProperty("delayMs").GetInt32()));
        Assert.Equal("completed", log.Status);

        var late = await RunAsync("late", """{"id":"wait","typeId":"core.delay","config":{"ms":60000}}""", "", settings: """{"timeout":50}""");
        Assert.Equal("run_timeout", late.Last.GetProperty("payload").GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(1, late.Count("node.cancelled", "wait"));
    }

    private async Task<Log> RunAsync(string id, string nodes, string edges, string inputs = "{}", string settings = "{}")
    {
        var runId = await host.StoreAndCreateAsync(id, nodes, edges, settings, inputs);
        var reply = await host.WaitForEndAsync(runId);
        return new Log([.. reply.Events.Select(@event => JsonElement.Parse(@event.Span))], reply.Status);
    }

    private sealed record Log(IReadOnlyList<JsonElement> Events, string Status)
    {
        public JsonElement Last => Events[^1];

        public IEnumerable<JsonElement> Of(string type) => Events.Where(@event => @event.GetProperty("type").ValueEquals(type));

        public int Count(string type, string nodeId) =>
            Of(type).Count(@event => @event.TryGetProperty("nodeId", out var node) && node.ValueEquals(nodeId));

        public IEnumerable<JsonElement> OutputsOf(string nodeId) => Of("node.completed")
            .Where(@event => @event.GetProperty("nodeId").ValueEquals(nodeId))
            .Select(@event => @event.GetProperty("payload").GetProperty("outputs"));
    }
}
