using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Protocol.Expressions.Tests;

public sealed class EdgeConditionTests
{
    private const string Outputs =
        """
        {
          "output": { "approved": true, "score": 7.0, "note": null, "tags": ["a", "b"] },
          "total": 12, "title": "Order 42", "items": [{ "sku": "x" }], "inputs": { "own": 1 }, "half": "\ud800", "flag": false
        }
        """;

    [Theory]
    [InlineData("equals", "status", "\"completed\"", true)]
    [InlineData("equals", "status", "\"failed\"", false)]
    [InlineData("equals", "output.approved", "true", true)]
    [InlineData("equals", "output.score", "7", true)]
    [InlineData("equals", "outputs.total", "12.0", true)]
    [InlineData("equals", "output.total", "12", true)]
    [InlineData("equals", "total", "12", true)]
    [InlineData("equals", "total", "\"12\"", false)]
    [InlineData("equals", "flag", "false", true)]
    [InlineData("equals", "items.0.sku", "\"x\"", true)]
    [InlineData("equals", "items.1.sku", "null", true)]
    [InlineData("equals", "output.note", "null", true)]
    [InlineData("equals", "output.missing", "null", true)]
    [InlineData("equals", "output.missing", "1", false)]
    [InlineData("equals", "output.tags", "[\"a\",\"b\"]", true)]
    [InlineData("equals", "inputs.name", "\"Ada\"", true)]
    [InlineData("equals", "inputs.own", "1", true)]
    [InlineData("equals", "variables.count", "2", true)]
    [InlineData("equals", "nodes.fetch-1.status", "200", true)]
    [InlineData("notEquals", "output.missing", "1", true)]
    [InlineData("notEquals", "total", "12", false)]
    [InlineData("contains", "title", "\"der 4\"", true)]
    [InlineData("contains", "title", "42", false)]
    [InlineData("contains", "output.tags", "\"b\"", true)]
    [InlineData("contains", "items", "{\"sku\":\"x\"}", true)]
    [InlineData("contains", "output", "\"approved\"", true)]
    [InlineData("contains", "output", "\"rejected\"", false)]
    [InlineData("contains", "total", "1", false)]
    [InlineData("contains", "missing", "\"x\"", false)]
    [InlineData("regex", "title", "\"^Order [0-9]+$\"", true)]
    [InlineData("regex", "title", "\"^order\"", false)]
    [InlineData("regex", "total", "\"12\"", false)]
    public void Compares_a_path_with_a_value(string type, string left, string right, bool holds) =>
        Assert.Equal(new ConditionResult(holds), Evaluate(new EdgeCondition(type, left, JsonElement.Parse(right), null)));

    [Theory]
    [InlineData("expression", "status == 'completed' && output.approved", true)]
    [InlineData(null, "outputs.total > 100", false)]
    [InlineData("expression", "outputs.flag || inputs.flag", true)]
    [InlineData("expression", "nodes['fetch-1'].body.ok && variables.count == 2", true)]
    public void Evaluates_an_expression(string? type, string expression, bool holds) =>
        Assert.Equal(new ConditionResult(holds), Evaluate(new EdgeCondition(type, null, null, expression)));

    [Fact]
    public void Without_a_port_named_output_it_stands_for_all_outputs()
    {
        Assert.True(Evaluate(new EdgeCondition("expression", null, null, "output.ok"), "{\"ok\":true}").Holds);
        Assert.True(Evaluate(new EdgeCondition("equals", "output.ok", JsonElement.Parse("true"), null), "{\"ok\":true}").Holds);
        Assert.True(Evaluate(new EdgeCondition("equals", "output", JsonElement.Parse("true"), null), "{\"output\":true}").Holds);
    }

    [Fact]
    public void An_empty_condition_holds()
    {
        Assert.Equal(new ConditionResult(true), Evaluate(new EdgeCondition(null, null, null, null)));
        Assert.Equal(new ConditionResult(true), EdgeConditions.Evaluate(Edge(null), Source(Outputs)));
    }

    [Theory]
    [InlineData("expression", null, null, null, "has no expression")]
    [InlineData("expression", null, null, "1 +", "has an expression that is wrong: a value is expected, not the end (at position 3)")]
    [InlineData("expression", null, null, "output.missing", "cannot be evaluated: there is no member 'missing' (at position 7)")]
    [InlineData("expression", null, null, "1", "must give true or false")]
    [InlineData(null, "total", null, null, "has no type")]
    [InlineData("equals", null, "1", null, "has no left side")]
    [InlineData("equals", "total", null, null, "has no right side")]
    [InlineData("like", "total", "1", null, "cannot be evaluated: the type 'like' is unknown")]
    [InlineData("regex", "title", "1", null, "cannot be evaluated: the pattern must be a string")]
    [InlineData("regex", "title", "\"(\"", null, "cannot be evaluated: the pattern is wrong at its position 1: InsufficientClosingParentheses")]
    [InlineData("contains", "half", "\"x\"", null, "cannot be evaluated: a string of the data is not valid Unicode")]
    public void What_cannot_be_evaluated_names_the_edge(string? type, string? left, string? right, string? expression, string problem)
    {
        var condition = new EdgeCondition(type, left, right is null ? null : JsonElement.Parse(right), expression);
        Assert.Equal(new ConditionResult(false, $"The condition of edge 'e1' {problem}."), Evaluate(condition));
    }

    [Fact]
    public void A_source_without_outputs_has_null_everywhere() =>
        Assert.True(EdgeConditions.Evaluate(
            Edge(new EdgeCondition("equals", "output.x", JsonElement.Parse("null"), null)),
            new ConditionSource { Status = "failed", Scope = Language.Scope }).Holds);

    private static ConditionResult Evaluate(EdgeCondition condition, string outputs = Outputs) => EdgeConditions.Evaluate(Edge(condition), Source(outputs));

    private static WorkflowEdge Edge(EdgeCondition? condition) => new() { Id = "e1", SourceNodeId = "a", TargetNodeId = "b", Condition = condition };

    private static ConditionSource Source(string outputs) =>
        new() { Status = "completed", Outputs = JsonElement.Parse(outputs), Scope = Language.Scope };
}
