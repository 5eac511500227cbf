using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

public sealed class SchemaRegistryTests
{
    public static TheoryData<string> Names() => [.. SchemaRegistry.Names];

    public static TheoryData<string> WorkflowFixtures() => [.. Fixtures.Files()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_published_schema_compiles(string name) => Assert.NotNull(SchemaRegistry.Published(name));

    [Fact]
    public void An_unknown_name_is_a_mistake_of_the_caller() => Assert.Throws<ArgumentException>(() => SchemaRegistry.Published("nope"));

    [Theory]
    [MemberData(nameof(WorkflowFixtures))]
    public void Every_fixture_is_a_valid_definition(string file) =>
        Assert.Empty(SchemaRegistry.Published("workflow-definition").Validate(Fixtures.Json(File.ReadAllText(Path.Combine(Fixtures.Folder, file)))));

    [Theory]
    [MemberData(nameof(WorkflowFixtures))]
    public void Answers_agree_with_another_implementation_when_a_fixture_is_damaged(string file)
    {
        var other = Oracle.Published("workflow-definition");
        foreach (var damaged in Oracle.Damage(JsonNode.Parse(Fixtures.Bytes(file))!))
        {
            Assert.Equal(other.Evaluate(damaged).IsValid, SchemaRegistry.Published("workflow-definition").IsValid(damaged));
        }
    }

    [Fact]
    public void A_part_of_a_schema_validates_alone()
    {
        var part = SchemaRegistry.PublishedPart("run-event-payloads", "nodeStarted");

        Assert.Empty(part.Validate(Fixtures.Json("""{"nodeId":"a","typeId":"core.noop","attempt":0}""")));
        Assert.Contains(part.Validate(Fixtures.Json("""{"attempt":0}""")), error => error.Keyword == "required");
    }

    [Fact]
    public void Errors_name_the_place_the_keyword_and_the_reason()
    {
        var definition = JsonNode.Parse(Fixtures.Bytes("conformance-noop.json"))!.AsObject();
        definition["extra"] = 1;
        definition["nodes"]![0]!["inputs"] = new JsonObject { ["a/b"] = new JsonObject { ["type"] = "connection", ["nodeId"] = "" } };
        definition["nodes"]![0]!.AsObject().Remove("typeId");

        var errors = SchemaRegistry.Published("workflow-definition").Validate(Fixtures.Json(definition.ToJsonString()));

        Assert.Equal(
            [
                new SchemaError("/extra", "additionalProperties", "Member 'extra' is not known here."),
                new SchemaError("/nodes/0", "required", "Member 'typeId' is missing."),
                new SchemaError("/nodes/0/inputs/a~1b", "required", "Member 'outputKey' is missing."),
                new SchemaError("/nodes/0/inputs/a~1b/nodeId", "minLength", "The string must not be empty."),
            ],
            errors);
    }

    [Fact]
    public void The_number_of_errors_is_bounded()
    {
        var many = new JsonObject([.. Enumerable.Range(0, 500).Select(i => KeyValuePair.Create($"x{i}", (JsonNode?)i))]);

        Assert.Equal(7, SchemaRegistry.Published("workflow-definition").Validate(Fixtures.Json(many.ToJsonString()), 7).Count);
    }
}
