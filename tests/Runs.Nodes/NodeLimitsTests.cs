namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class NodeLimitsTests
{
    [Fact]
    public void Outputs_that_fit_into_no_event_fail_the_node()
    {
        var large = $"\"{new string('x', NodeLimits.MaxOutputBytes / 2)}\"";

        var error = new NodeHarness { TypeId = "core.identity", Inputs = $"{{\"a\":{large}}}" }.Fails();
        Assert.Equal(("value_too_large", false), (error.Code, error.Retryable));
    }

    [Fact]
    public void Inputs_together_are_bounded_before_anything_is_made_of_them()
    {
        var large = $"\"{new string('x', NodeLimits.MaxInputBytes / 2)}\"";

        Assert.Equal("value_too_large", new NodeHarness { TypeId = "core.noop", Inputs = $"{{\"a\":{large},\"b\":{large}}}" }.Fails().Code);
    }

    [Fact]
    public void Variables_are_bounded()
    {
        var large = $"\"{new string('x', NodeLimits.MaxVariableBytes)}\"";

        Assert.Equal("value_too_large", new NodeHarness { TypeId = "core.setVariable", Config = $"{{\"variables\":{{\"a\":{large}}}}}" }.Fails().Code);
    }

    [Theory]
    [InlineData(54, true)]
    [InlineData(55, false)]
    public void Depth_is_bounded(int depth, bool fits)
    {
        var node = new NodeHarness { TypeId = "core.merge", Inputs = $"{{\"a\":{new string('[', depth)}{new string(']', depth)}}}" };
        if (fits)
        {
            node.Completes();
        }
        else
        {
            Assert.Equal("value_too_deep", node.Fails().Code);
        }
    }
}
