using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class LoopNodeTests
{
    [Theory]
    [InlineData("{\"count\":2}", "{}", "body{\"index\":0,\"count\":2} body{\"index\":1,\"count\":2} done{\"iterations\":2}")]
    [InlineData("{\"mode\":\"count\",\"count\":1}", "{\"count\":0}", "done{\"iterations\":0}")]
    [InlineData(
        "{}",
        "{\"items\":[\"a\",{\"b\":1.0}]}",
        "body{\"index\":0,\"item\":\"a\",\"count\":2} body{\"index\":1,\"item\":{\"b\":1.0},\"count\":2} done{\"iterations\":2}")]
    [InlineData("{\"items\":[]}", "{}", "done{\"iterations\":0}")]
    [InlineData("{\"while\":\"index < variables.rounds\"}", "{}", "body{\"index\":0} body{\"index\":1} done{\"iterations\":2}")]
    [InlineData("{\"mode\":\"while\",\"expression\":\"false\"}", "{}", "done{\"iterations\":0}")]
    public void Goes_round_until_it_is_done(string config, string inputs, string rounds)
    {
        var log = new List<string>();
        string? state = null;
        do
        {
            var completed = Assert.IsType<NodeOutcome.Completed>(Loop(config, inputs, state).Run());
            log.Add(Assert.Single(completed.LivePorts!) + NodeHarness.Outputs(completed.Outputs));
            state = completed.LoopState?.GetRawText();
        }
        while (state is not null);

        Assert.Equal(rounds, string.Join(' ', log));
    }

    [Theory]
    [InlineData("{\"count\":101}", "{}", null, 100, 101)]
    [InlineData("{\"count\":3,\"maxIterations\":2}", "{}", null, 2, 3)]
    [InlineData("{\"maxIterations\":1}", "{\"items\":[1,2]}", null, 1, 2)]
    [InlineData("{\"while\":\"true\",\"maxIterations\":5}", "{}", "{\"index\":5}", 5, 6)]
    public void Fails_beyond_its_limit(string config, string inputs, string? state, int limit, int requested)
    {
        var error = Loop(config, inputs, state).Fails();
        Assert.Equal(("loop_limit_exceeded", false), (error.Code, error.Retryable));
        Assert.Equal($"{{\"limit\":{limit},\"requested\":{requested}}}", JsonSerializer.Serialize(error.Details));
    }

    [Theory]
    [InlineData("{}", "config_invalid")]
    [InlineData("{\"mode\":\"for\"}", "config_invalid")]
    [InlineData("{\"mode\":\"count\"}", "config_invalid")]
    [InlineData("{\"count\":-1}", "config_invalid")]
    [InlineData("{\"items\":{}}", "config_invalid")]
    [InlineData("{\"count\":1,\"maxIterations\":10001}", "config_invalid")]
    [InlineData("{\"mode\":\"while\"}", "config_invalid")]
    [InlineData("{\"while\":\"1 +\"}", "expression_invalid")]
    [InlineData("{\"while\":\"index\"}", "expression_failed")]
    public void Refuses_a_wrong_config(string config, string code) => Assert.Equal(code, Loop(config, "{}", null).Fails().Code);

    private static NodeHarness Loop(string config, string inputs, string? state) =>
        new() { TypeId = "core.loop", Config = config, Inputs = inputs, LoopState = state, Variables = "{\"rounds\":2}" };
}
