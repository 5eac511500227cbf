namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class ConditionalNodeTests
{
    [Theory]
    [InlineData("{\"expression\":\"inputs.amount > 10\"}", true)]
    [InlineData("{\"expression\":\"inputs.region == 'us'\"}", false)]
    [InlineData("{\"expression\":\"run.inputs.amount == 1\"}", true)]
    [InlineData("{\"expression\":\"variables.limit == 5 && nodes['a'].ok\"}", true)]
    [InlineData("{\"expression\":\"config.threshold == 3\",\"threshold\":3}", true)]
    [InlineData("{\"condition\":\"inputs.amount == 20\"}", true)]
    [InlineData("{\"condition\":{\"type\":\"equals\",\"left\":\"amount\",\"right\":20.0}}", true)]
    [InlineData("{\"condition\":{\"type\":\"equals\",\"left\":\"inputs.region\",\"right\":\"eu\"}}", true)]
    [InlineData("{\"condition\":{\"type\":\"contains\",\"left\":\"variables.tags\",\"right\":\"x\"}}", true)]
    [InlineData("{\"condition\":{\"type\":\"regex\",\"left\":\"inputs.region\",\"right\":\"^u\"}}", false)]
    [InlineData("{\"condition\":{\"type\":\"expression\",\"expression\":\"inputs.amount < 0\"}}", false)]
    [InlineData("{\"condition\":{}}", true)]
    public void Follows_the_port_of_its_decision(string config, bool result)
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(Node(config, "{\"amount\":20}").Run());

        Assert.Equal(result ? "{\"result\":true}" : "{\"result\":false}", NodeHarness.Outputs(completed.Outputs));
        Assert.Equal([result ? "true" : "false"], completed.LivePorts);
    }

    [Fact]
    public void A_bool_on_the_port_decides_without_an_expression() =>
        Assert.Equal("{\"result\":true}", Node("{\"expression\":\"false\"}", "{\"condition\":true}").Completes());

    [Theory]
    [InlineData("{}", "config_invalid")]
    [InlineData("{\"expression\":1}", "config_invalid")]
    [InlineData("{\"condition\":{\"type\":1}}", "config_invalid")]
    [InlineData("{\"expression\":\"1 +\"}", "expression_invalid")]
    [InlineData("{\"expression\":\"inputs.missing\"}", "expression_failed")]
    [InlineData("{\"expression\":\"1\"}", "expression_failed")]
    [InlineData("{\"condition\":{\"type\":\"like\",\"left\":\"amount\",\"right\":1}}", "condition_failed")]
    public void Fails_for_good_when_it_cannot_decide(string config, string code)
    {
        var error = Node(config, "{\"amount\":20}").Fails();
        Assert.Equal((code, false), (error.Code, error.Retryable));
    }

    [Fact]
    public void Data_never_becomes_code() =>
        Assert.Equal("config_invalid", Node("{}", "{\"expression\":\"true\"}").Fails().Code);

    private static NodeHarness Node(string config, string inputs) => new()
    {
        TypeId = "core.conditional",
        Config = config,
        Inputs = inputs,
        RunInputs = "{\"region\":\"eu\",\"amount\":1}",
        Variables = "{\"limit\":5,\"tags\":[\"x\"]}",
        NodeOutputs = "{\"a\":{\"ok\":true}}",
    };
}
