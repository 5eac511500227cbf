namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class TransformNodeTests
{
    [Theory]
    [InlineData("{\"expression\":\"inputs.items.map(i, i.price).sum()\"}", "{\"output\":5.5}")]
    [InlineData("{\"expression\":\"inputs.items[0]\"}", "{\"output\":{\"price\":2.50}}")]
    [InlineData("{\"mapping\":{\"n\":\"inputs.items.size()\",\"who\":\"variables.name.upper()\"}}", "{\"n\":2,\"who\":\"ADA\"}")]
    [InlineData("{\"expression\":\"1\",\"mapping\":{\"two\":\"2\"}}", "{\"output\":1,\"two\":2}")]
    [InlineData("{\"mapping\":{}}", "{}")]
    [InlineData("{\"expression\":\"'é <&>'\"}", "{\"output\":\"é <&>\"}")]
    public void Computes_its_outputs(string config, string outputs)
    {
        var completed = Assert.IsType<NodeOutcome.Completed>(Transform(config).Run());
        Assert.Equal(outputs, completed.Outputs.GetRawText());
    }

    [Theory]
    [InlineData("{}", "config_invalid", null)]
    [InlineData("{\"mapping\":[]}", "config_invalid", null)]
    [InlineData("{\"mapping\":{\"a\":1}}", "config_invalid", null)]
    [InlineData("{\"expression\":\"1\",\"mapping\":{\"output\":\"2\"}}", "config_invalid", null)]
    [InlineData("{\"expression\":\"1 +\"}", "expression_invalid", "{\"position\":3}")]
    [InlineData("{\"expression\":\"1 / 0\"}", "expression_failed", "{\"position\":2}")]
    [InlineData("{\"mapping\":{\"a\":\"inputs.missing\"}}", "expression_failed", "{\"position\":7}")]
    public void Says_what_is_wrong_and_where(string config, string code, string? details)
    {
        var error = Transform(config).Fails();
        Assert.Equal((code, false), (error.Code, error.Retryable));
        if (details is not null)
        {
            Assert.Equal(details, error.Details?.GetRawText());
        }
    }

    [Fact]
    public void All_values_together_are_bounded()
    {
        var config = "{\"mapping\":{\"a\":\"inputs.big\",\"b\":\"inputs.big\"}}";
        var big = $"\"{new string('x', 600_000)}\"";

        var error = new NodeHarness { TypeId = "core.transform", Config = config, Inputs = $"{{\"big\":{big}}}" }.Fails();
        Assert.Equal("expression_failed", error.Code);
    }

    private static NodeHarness Transform(string config) => new()
    {
        TypeId = "core.transform",
        Config = config,
        Inputs = "{\"items\":[{\"price\":2.50},{\"price\":3}]}",
        Variables = "{\"name\":\"Ada\"}",
    };
}
