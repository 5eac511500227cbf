using System.Text;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Protocol.Tests.Runs;

public sealed class RunInputsTests
{
    [Theory]
    [InlineData("string", "\"\"")]
    [InlineData("number", "1e400")]
    [InlineData("boolean", "false")]
    [InlineData("object", "{}")]
    [InlineData("array", "[]")]
    public void An_input_of_the_declared_type_becomes_the_variable(string type, string value)
    {
        Assert.True(RunInputs.TryBind(Workflow(type), Fixtures.Json($$"""{"v":{{value}},"undeclared":1}"""), out var variables, out _));
        Assert.Equal(value, variables["v"].GetRawText());
        Assert.Equal(["undeclared", "v"], variables.Keys);
    }

    [Theory]
    [InlineData("string", "1")]
    [InlineData("string", "null")]
    [InlineData("number", "\"1\"")]
    [InlineData("boolean", "0")]
    [InlineData("object", "[]")]
    [InlineData("array", "{}")]
    public void An_input_of_another_type_is_refused(string type, string value)
    {
        Assert.False(RunInputs.TryBind(Workflow(type), Fixtures.Json($$"""{"v":{{value}}}"""), out _, out var error));
        Assert.Equal(("validation_error", "inputs.v"), (error.Code.Name, (string?)error.Details!["field"]));
    }

    [Fact]
    public void A_required_variable_needs_an_input_or_a_default()
    {
        Assert.False(RunInputs.TryBind(Workflow("string", "\"required\":true"), default, out _, out var error));
        Assert.Equal("inputs.v", (string?)error.Details!["field"]);
        Assert.True(RunInputs.TryBind(Workflow("string", "\"required\":true,\"defaultValue\":\"d\""), default, out var variables, out _));
        Assert.Equal("d", variables["v"].GetString());
        Assert.True(RunInputs.TryBind(Workflow("string"), default, out variables, out _));
        Assert.Empty(variables);
    }

    [Fact]
    public void An_input_wins_over_the_default()
    {
        Assert.True(RunInputs.TryBind(Workflow("string", "\"defaultValue\":\"d\""), Fixtures.Json("""{"v":"i"}"""), out var variables, out _));
        Assert.Equal("i", variables["v"].GetString());
    }

    [Fact]
    public void Configurable_is_held_against_the_schema_of_the_workflow()
    {
        var definition = WorkflowValidator.Validate(Fixtures.Bytes("conformance-configurable-schema.json")).Definition!;

        Assert.Null(RunInputs.CheckConfigurable(definition, Fixtures.Json("""{"recursionLimit":5,"tags":["a"]}""")));
        Assert.Null(RunInputs.CheckConfigurable(definition, default));
        var error = RunInputs.CheckConfigurable(definition, Fixtures.Json("""{"recursionLimit":5,"unknown":true}"""))!;
        Assert.Equal(ErrorCodes.ValidationError, error.Code);
        Assert.Equal("/unknown", (string?)error.Details!["errors"]![0]!["path"]);
        Assert.Null(RunInputs.CheckConfigurable(Workflow("string"), Fixtures.Json("""{"anything":1}""")));
    }

    private static WorkflowDefinition Workflow(string type, string? more = null)
    {
        var document = JsonNode.Parse(Fixtures.Bytes("conformance-noop.json"))!;
        document["variables"] = new JsonArray(JsonNode.Parse($$"""{"name":"v","type":"{{type}}"{{(more is null ? "" : "," + more)}}}"""));
        return WorkflowValidator.Validate(Encoding.UTF8.GetBytes(document.ToJsonString())).Definition!;
    }
}
