namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class PassThroughNodesTests
{
    [Theory]
    [InlineData("core.noop", "{\"a\":1}", "{}")]
    [InlineData("core.start", "{\"a\":1}", "{\"a\":1}")]
    [InlineData("core.end", "{\"a\":1,\"b\":[2]}", "{\"a\":1,\"b\":[2]}")]
    [InlineData("core.parallel", "{}", "{}")]
    [InlineData("core.identity", "{\"payload\":{\"n\":1.50}}", "{\"payload\":{\"n\":1.50},\"output\":{\"n\":1.50}}")]
    [InlineData("core.identity", "{\"output\":1}", "{\"output\":1}")]
    [InlineData("core.identity", "{\"a\":1,\"b\":12345678901234567890}", "{\"a\":1,\"b\":12345678901234567890}")]
    [InlineData("core.identity", "{}", "{}")]
    public void Inputs_become_outputs_byte_for_byte(string typeId, string inputs, string outputs) =>
        Assert.Equal(outputs, new NodeHarness { TypeId = typeId, Inputs = inputs }.Completes());

    [Theory]
    [InlineData("{}", "{\"output\":{\"b\":1,\"a\":2}}")]
    [InlineData("{\"mode\":\"object\"}", "{\"output\":{\"b\":1,\"a\":2}}")]
    [InlineData("{\"mode\":\"array\"}", "{\"output\":[1,2]}")]
    [InlineData("{\"mode\":\"first\"}", "{\"output\":1}")]
    public void Merge_collects_its_ports_in_declared_order(string config, string outputs)
    {
        var merged = new NodeHarness { TypeId = "core.merge", Config = config, Inputs = "{\"b\":1,\"a\":2}" }.Completes();
        Assert.True(System.Text.Json.JsonElement.DeepEquals(NodeHarness.Json(outputs), NodeHarness.Json(merged)), merged);
    }

    [Fact]
    public void Merge_without_a_value_has_null_as_first() =>
        Assert.Equal("{\"output\":null}", new NodeHarness { TypeId = "core.merge", Config = "{\"mode\":\"first\"}" }.Completes());

    [Fact]
    public void Merge_refuses_an_unknown_mode() =>
        Assert.Equal("config_invalid", new NodeHarness { TypeId = "core.merge", Config = "{\"mode\":\"zip\"}" }.Fails().Code);
}
