using System.Text;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Protocol.Tests.Workflows;

public sealed class WorkflowValidatorTests
{
    public static TheoryData<string> WorkflowFixtures() => [.. Fixtures.Files()];

    [Theory]
    [MemberData(nameof(WorkflowFixtures))]
    public void Every_fixture_is_accepted_and_read_completely(string file)
    {
        var result = WorkflowValidator.Validate(Fixtures.Bytes(file));

        Assert.Empty(result.Errors);
        Assert.Null(result.ToProtocolError());
        var document = JsonNode.Parse(Fixtures.Bytes(file))!;
        Assert.Equal((string?)document["id"], result.Definition!.Id);
        Assert.Equal(document["nodes"]!.AsArray().Count, result.Definition.Nodes.Length);
        Assert.Equal(document["edges"]!.AsArray().Count, result.Definition.Edges.Length);
    }

    public static TheoryData<string, string, string> Mistakes() => new()
    {
        { """{"nodes":{"append":{"id":"a"}}}""", "/nodes/2/id", "duplicate_id" },
        { """{"edges":{"append":{"id":"e1"}}}""", "/edges/1/id", "duplicate_id" },
        { """{"edges":{"append":{"id":"e2","targetNodeId":"z"}}}""", "/edges/1/targetNodeId", "unknown_node" },
        { """{"edges":{"append":{"id":"e2","sourceNodeId":"z"}}}""", "/edges/1/sourceNodeId", "unknown_node" },
        { """{"edges":{"append":{"id":"e2","triggerRule":"sometimes"}}}""", "/edges/1/triggerRule", "enum" },
        { """{"edges":{"append":{"id":"e2","condition":{"left":"status"}}}}""", "/edges/1/condition", "condition_incomplete" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"equals","left":"status"}}}}""", "/edges/1/condition", "condition_incomplete" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"contains","right":1}}}}""", "/edges/1/condition", "condition_incomplete" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"expression"}}}}""", "/edges/1/condition", "condition_incomplete" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"expression","expression":"1 +"}}}}""", "/edges/1/condition/expression", "invalid_expression" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"regex","left":"status","right":"("}}}}""", "/edges/1/condition/right", "invalid_regex" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"regex","left":"status","right":"(?=a)a"}}}}""", "/edges/1/condition/right", "invalid_regex" },
        { """{"edges":{"append":{"id":"e2","condition":{"type":"regex","left":"status","right":5}}}}""", "/edges/1/condition/right", "invalid_regex" },
        { """{"nodes":{"append":{"id":"c","inputs":{"p":{"type":"connection","nodeId":"z","outputKey":"o"}}}}}""", "/nodes/2/inputs/p/nodeId", "unknown_node" },
        { """{"nodes":{"append":{"id":"c","inputs":{"p":{"type":"expression","expression":"1 +"}}}}}""", "/nodes/2/inputs/p/expression", "invalid_expression" },
        { """{"nodes":{"append":{"id":"c","surprise":1}}}""", "/nodes/2/surprise", "additionalProperties" },
        { """{"nodes":{"append":{"id":"c","typeId":"Core.Noop"}}}""", "/nodes/2/typeId", "pattern" },
        { """{"triggers":[{"id":"t","type":"manual"},{"id":"t","type":"manual"}]}""", "/triggers/1/id", "duplicate_id" },
        { """{"triggers":[{"id":"t","type":"manual","nodeId":"z"}]}""", "/triggers/0/nodeId", "unknown_node" },
        { """{"triggers":[{"id":"t","type":"channel-write"}]}""", "/triggers/0/config", "trigger_incomplete" },
        { """{"triggers":[{"id":"t","type":"channel-write","config":{"channel":"c"}}]}""", "/triggers/0/config/channel", "unknown_channel" },
        { """{"variables":[{"name":"v","type":"string"},{"name":"v","type":"string"}]}""", "/variables/1/name", "duplicate_id" },
        { """{"variables":[{"name":"v","type":"string","defaultValue":1}]}""", "/variables/0/defaultValue", "wrong_type" },
        { """{"groups":[{"id":"g","name":"g","nodeIds":["a","z"],"position":{"x":0,"y":0},"size":{"width":1,"height":1}}]}""", "/groups/0/nodeIds/1", "unknown_node" },
        { """{"channels":{"":{"reducer":"append"}}}""", "/channels/", "invalid_name" },
        { """{"channels":{"c":{"reducer":"sum"}}}""", "/channels/c/reducer", "pattern" },
        { """{"channels":{"c":{"reducer":"append","schema":{"type":"text"}}}}""", "/channels/c/schema/type", "invalid_schema" },
        { """{"configurableSchema":{"allOf":[{"$ref":"#"}]}}""", "/configurableSchema", "invalid_schema" },
        { """{"id":"Upper"}""", "/id", "pattern" },
        { """{"name":null}""", "", "required" },
        { """{"extra":1}""", "/extra", "additionalProperties" },
        { """{"nodes":[]}""", "/nodes", "minItems" },
        { """{"settings":{"timeout":-1}}""", "/settings/timeout", "minimum" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_its_place(string change, string path, string code)
    {
        var result = Validate(Definition(change));

        Assert.Contains(result.Errors, error => error.Path == path && error.Code == code);
        Assert.Null(result.Definition);
    }

    [Theory]
    [InlineData("""{"edges":{"append":{"id":"e2","sourceNodeId":"b","targetNodeId":"a"}}}""")]
    [InlineData("""{"edges":{"append":{"id":"e2","sourceNodeId":"a","targetNodeId":"a"}}}""")]
    [InlineData("""{"edges":{"append":{"id":"e2","condition":{}}}}""")]
    [InlineData("""{"edges":{"append":{"id":"e2","condition":{"expression":"outputs.total > 1"}}}}""")]
    [InlineData("""{"edges":{"append":{"id":"e2","condition":{"type":"regex","left":"status","right":"^comp"}}}}""")]
    [InlineData("""{"edges":{"append":{"id":"e2","condition":{"type":"equals","left":"status","right":null}}}}""")]
    [InlineData("""{"channels":{"a strange name:{nodeId}":{"reducer":"vendor.acme.sum","maxSize":5000000000,"schemaVersion":5000000000,"compatibleWith":[5000000000]}}}""")]
    [InlineData("""{"nodes":{"append":{"id":"c","typeId":"vendor.acme.thing"}}}""")]
    public void What_only_looks_odd_is_accepted(string change) => Assert.Empty(Validate(Definition(change)).Errors);

    [Fact]
    public void Errors_become_a_validation_error_with_details()
    {
        var error = Validate(Definition("""{"extra":1}""")).ToProtocolError()!;

        Assert.Equal(ErrorCodes.ValidationError, error.Code);
        var envelope = Fixtures.Json(Encoding.UTF8.GetString(error.ToUtf8Bytes()));
        Assert.Empty(SchemaRegistry.Published("error-envelope").Validate(envelope));
        Assert.Equal("/extra", envelope.GetProperty("details").GetProperty("errors")[0].GetProperty("path").GetString());
    }

    [Fact]
    public void No_more_than_a_hundred_errors_are_reported()
    {
        var definition = Definition("{}");
        for (var i = 0; i < 500; i++)
        {
            definition["edges"]!.AsArray().Add(new JsonObject { ["id"] = $"x{i}", ["sourceNodeId"] = "nowhere", ["targetNodeId"] = "nowhere" });
        }

        Assert.Equal(100, Validate(definition).Errors.Count);
    }

    [Theory]
    [InlineData("nodes", 2_001)]
    [InlineData("edges", 10_001)]
    [InlineData("variables", 1_001)]
    public void Counts_are_limited(string list, int count)
    {
        var definition = Definition("{}");
        definition[list] = new JsonArray([.. Enumerable.Range(0, count).Select(_ => new JsonObject())]);

        Assert.Equal(new DefinitionError($"/{list}", "too_many", $"There may be at most {count - 1} {list}."), Assert.Single(Validate(definition).Errors));
    }

    [Fact]
    public void The_largest_definition_is_accepted()
    {
        var definition = Definition("{}");
        for (var i = 2; i < 2_000; i++)
        {
            definition["nodes"]!.AsArray().Add(Node($"n{i}"));
        }

        for (var i = 1; i < 10_000; i++)
        {
            definition["edges"]!.AsArray().Add(new JsonObject { ["id"] = $"x{i}", ["sourceNodeId"] = "a", ["targetNodeId"] = "b" });
        }

        Assert.Empty(Validate(definition).Errors);
    }

    [Theory]
    [InlineData("", "malformed_json")]
    [InlineData("{", "malformed_json")]
    [InlineData("{}{}", "malformed_json")]
    [InlineData("{\"a\":1,}", "malformed_json")]
    [InlineData("// no\n{}", "malformed_json")]
    [InlineData("{\"a\":NaN}", "malformed_json")]
    [InlineData("{\"a\":01}", "malformed_json")]
    [InlineData("{\"a\":1,\"\\u0061\":2}", "duplicate_member")]
    [InlineData("{\"a\":\"\\ud800\"}", "invalid_text")]
    [InlineData("{\"\\udc00\":1}", "invalid_text")]
    public void A_text_with_more_than_one_reading_is_refused(string text, string code) =>
        Assert.Equal(code, WorkflowValidator.Validate(Encoding.UTF8.GetBytes(text)).Errors.Single().Code);

    [Fact]
    public void A_document_that_is_too_large_or_too_deep_or_no_text_is_refused_at_once()
    {
        Assert.Equal("too_large", WorkflowValidator.Validate(new byte[10 << 20]).Errors.Single().Code);
        Assert.Equal(ErrorCodes.PayloadTooLarge, WorkflowValidator.Validate(new byte[10 << 20]).ToProtocolError()!.Code);
        Assert.Equal("malformed_json", WorkflowValidator.Validate([(byte)'"', 0xC3, 0x28, (byte)'"']).Errors.Single().Code);

        var deep = WorkflowValidator.Validate(Encoding.UTF8.GetBytes($$"""{"metadata":{"x":{{new string('[', 1_000_000)}}"""));
        Assert.Equal("too_deep", deep.Errors.Single().Code);
        Assert.StartsWith("/metadata/x/0/0", deep.Errors.Single().Path, StringComparison.Ordinal);

        var allowed = WorkflowValidator.Validate(Encoding.UTF8.GetBytes($$$"""{"metadata":{"x":{{{new string('[', 62)}}}{{{new string(']', 62)}}}}}"""));
        Assert.DoesNotContain(allowed.Errors, error => error.Code == "too_deep");
    }

    [Theory]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    public void What_is_no_object_is_refused(string text) => Assert.Equal("type", WorkflowValidator.Validate(Encoding.UTF8.GetBytes(text)).Errors[0].Code);

    private static ValidatedDefinition Validate(JsonNode definition) =>
        WorkflowValidator.Validate(Encoding.UTF8.GetBytes(definition.ToJsonString()));

    /// <summary>Two nodes and an edge, with members replaced, removed (null) or appended to a list.</summary>
    private static JsonObject Definition(string change)
    {
        var definition = new JsonObject
        {
            ["id"] = "test",
            ["name"] = "Test",
            ["version"] = "1.0",
            ["nodes"] = new JsonArray(Node("a"), Node("b")),
            ["edges"] = new JsonArray(new JsonObject { ["id"] = "e1", ["sourceNodeId"] = "a", ["targetNodeId"] = "b" }),
            ["triggers"] = new JsonArray(),
            ["variables"] = new JsonArray(),
            ["metadata"] = new JsonObject(),
            ["settings"] = new JsonObject(),
        };
        foreach (var (member, value) in JsonNode.Parse(change)!.AsObject())
        {
            if (value is JsonObject list && list["append"] is JsonObject item)
            {
                var template = member == "nodes" ? Node("x") : new JsonObject { ["id"] = "x", ["sourceNodeId"] = "a", ["targetNodeId"] = "b" };
                foreach (var (name, part) in item)
                {
                    template[name] = part?.DeepClone();
                }

                definition[member]!.AsArray().Add(template);
            }
            else if (value is null)
            {
                definition.Remove(member);
            }
            else
            {
                definition[member] = value.DeepClone();
            }
        }

        return definition;
    }

    private static JsonObject Node(string id) => new()
    {
        ["id"] = id,
        ["typeId"] = "core.noop",
        ["name"] = id,
        ["position"] = new JsonObject { ["x"] = 0, ["y"] = 0 },
        ["config"] = new JsonObject(),
        ["inputs"] = new JsonObject(),
    };
}
