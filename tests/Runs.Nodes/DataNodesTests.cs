using OpenWop.Micro.Runs.Nodes.Data;

namespace OpenWop.Micro.Runs.Nodes.Tests;

public sealed class DataNodesTests
{
    [Theory]
    [InlineData("{\"name\":\"a\",\"value\":1}", "{}", "a=1", "{\"a\":1,\"output\":1}")]
    [InlineData("{\"variableName\":\"a\"}", "{\"value\":null}", "a=null", "{\"a\":null,\"output\":null}")]
    [InlineData("{\"name\":\"a\",\"value\":1}", "{\"value\":2}", "a=2", "{\"a\":2,\"output\":2}")]
    [InlineData("{\"variables\":{\"a\":1,\"b\":[2]}}", "{}", "a=1;b=[2]", "{\"a\":1,\"b\":[2]}")]
    [InlineData("{\"variables\":{}}", "{}", "", "{}")]
    public void Set_variable_asks_for_the_writes(string config, string inputs, string writes, string outputs)
    {
        var harness = new NodeHarness { TypeId = "core.setVariable", Config = config, Inputs = inputs };

        Assert.Equal(outputs, harness.Completes());
        Assert.Equal(writes, string.Join(';', harness.Context.VariableWrites.Select(write => $"{write.Name}={write.Value.GetRawText()}")));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"name\":\"a\"}")]
    [InlineData("{\"name\":\"\",\"value\":1}")]
    [InlineData("{\"name\":1,\"value\":1}")]
    [InlineData("{\"variables\":[]}")]
    public void Set_variable_refuses_an_incomplete_config(string config)
    {
        var harness = new NodeHarness { TypeId = "core.setVariable", Config = config };

        Assert.Equal("config_invalid", harness.Fails().Code);
        Assert.Empty(harness.Context.VariableWrites);
    }

    [Theory]
    [InlineData("{\"name\":\"a\"}", "{\"value\":{\"x\":1},\"output\":{\"x\":1}}")]
    [InlineData("{\"variableName\":\"missing\",\"default\":0}", "{\"value\":0,\"output\":0}")]
    [InlineData("{\"name\":\"missing\",\"default\":null}", "{\"value\":null,\"output\":null}")]
    public void Get_variable_reads_the_value_or_the_default(string config, string outputs) =>
        Assert.Equal(outputs, new NodeHarness { TypeId = "core.getVariable", Config = config, Variables = "{\"a\":{\"x\":1}}" }.Completes());

    [Theory]
    [InlineData("{\"name\":\"missing\"}", "variable_not_found")]
    [InlineData("{}", "config_invalid")]
    public void Get_variable_fails_for_what_is_not_there(string config, string code) =>
        Assert.Equal(code, new NodeHarness { TypeId = "core.getVariable", Config = config }.Fails().Code);

    [Theory]
    [InlineData("{\"message\":\"hello\"}", "info", "hello", null)]
    [InlineData("{\"message\":{\"a\":1},\"level\":\"warn\",\"fields\":{\"k\":2}}", "warn", "{\"a\":1}", "{\"k\":2}")]
    public void Log_appends_a_line(string config, string level, string message, string? fields)
    {
        var harness = new NodeHarness { TypeId = "core.log", Config = config };

        harness.Completes();
        var line = Assert.Single(harness.Context.LogLines);
        Assert.Equal((level, message, fields), (line.Level, line.Message, line.Fields?.GetRawText()));
    }

    [Fact]
    public void Log_cuts_a_long_message_between_characters()
    {
        var harness = new NodeHarness { TypeId = "core.log", Config = $"{{\"message\":\"{new string('a', LogNode.MaxMessageLength - 2)}😀😀\"}}" };

        harness.Completes();
        var message = Assert.Single(harness.Context.LogLines).Message;
        Assert.Equal(new string('a', LogNode.MaxMessageLength - 2) + "…", message);
    }

    [Fact]
    public void Log_omits_fields_that_are_too_large()
    {
        var harness = new NodeHarness
        {
            TypeId = "core.log",
            Config = $"{{\"message\":\"x\",\"fields\":{{\"a\":\"{new string('x', NodeLimits.MaxLogFieldBytes)}\"}}}}",
        };

        harness.Completes();
        Assert.Equal("{\"omitted\":true}", Assert.Single(harness.Context.LogLines).Fields?.GetRawText());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"message\":\"x\",\"level\":\"loud\"}")]
    [InlineData("{\"message\":\"x\",\"fields\":[]}")]
    public void Log_refuses_a_wrong_config(string config) =>
        Assert.Equal("config_invalid", new NodeHarness { TypeId = "core.log", Config = config }.Fails().Code);
}
