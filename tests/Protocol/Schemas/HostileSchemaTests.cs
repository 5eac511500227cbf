using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

/// <summary>Schemas and values made to hurt. Each must end soon, with an error and not with the process.</summary>
public sealed class HostileSchemaTests
{
    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"allOf":[{"$ref":"#"}]}""")]
    [InlineData("""{"$defs":{"a":{"not":{"$ref":"#/$defs/b"}},"b":{"if":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}""")]
    [InlineData("""{"$dynamicAnchor":"a","$dynamicRef":"#a"}""")]
    public void References_that_go_in_circles_are_refused(string schema) => Assert.Equal("$ref", Refused(schema).Keyword);

    [Theory]
    [InlineData("""{"$ref":"https://example.com/schema.json"}""", "$ref")]
    [InlineData("""{"$ref":"file:///etc/passwd"}""", "$ref")]
    [InlineData("""{"$ref":"#/enum/0","enum":[{}]}""", "$ref")]
    [InlineData("""{"$ref":"#nowhere"}""", "$ref")]
    [InlineData("""{"$ref":5}""", "$ref")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "$schema")]
    [InlineData("""{"$schema":"https://example.com/mine"}""", "$schema")]
    [InlineData("""{"$id":"http://[bad"}""", "$id")]
    [InlineData("""{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}""", "$id")]
    [InlineData("""{"type":"text"}""", "type")]
    [InlineData("""{"type":[]}""", "type")]
    [InlineData("""{"properties":[]}""", "properties")]
    [InlineData("""{"required":"a"}""", "required")]
    [InlineData("""{"minLength":-1}""", "minLength")]
    [InlineData("""{"minLength":1.5}""", "minLength")]
    [InlineData("""{"multipleOf":0}""", "multipleOf")]
    [InlineData("""{"pattern":"("}""", "pattern")]
    [InlineData("""{"patternProperties":{"[":{}}}""", "patternProperties")]
    [InlineData("""{"items":[{}]}""", "type")]
    [InlineData("5", "type")]
    public void What_is_no_schema_is_refused_with_the_place(string schema, string keyword) => Assert.Equal(keyword, Refused(schema).Keyword);

    [Fact]
    public void A_schema_that_is_too_large_or_too_deep_is_refused()
    {
        Assert.Equal("$schema", Refused($$"""{"description":"{{new string('x', 300_000)}}"}""").Keyword);
        Assert.Equal("$schema", Refused($$"""{"allOf":[{{string.Join(',', Enumerable.Repeat("{}", 6_000))}}]}""").Keyword);
        Assert.Equal("pattern", Refused($$"""{"pattern":"{{new string('a', 2_000)}}"}""").Keyword);
    }

    [Theory]
    [InlineData("""{"pattern":"^(a+)+$"}""")]
    [InlineData("""{"pattern":"^(?=a)(a+)+$"}""")]
    [InlineData("""{"pattern":"^(a|a)*(?!b)$"}""")]
    [InlineData("""{"propertyNames":{"pattern":"^(?=a)(a+)+$"}}""")]
    [InlineData("""{"patternProperties":{"^(?=a)(a+)+$":false}}""")]
    [InlineData("""{"pattern":"((a{1,900}){1,900}){1,900}b"}""")]
    public void A_pattern_that_explodes_ends_soon(string schema)
    {
        var evil = new string('a', 5_000) + "!";
        var clock = Stopwatch.StartNew();

        JsonSchemaDocument.Compile(Fixtures.Json(schema)).Validate(Fixtures.Json(new JsonArray(evil).ToJsonString())[0]);
        JsonSchemaDocument.Compile(Fixtures.Json(schema)).Validate(Fixtures.Json(new JsonObject { [evil] = 1 }.ToJsonString()));

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), clock.Elapsed.ToString()); // Without a limit: longer than anybody waits.
    }

    [Fact]
    public void A_schema_that_doubles_at_every_reference_runs_out_of_steps()
    {
        var schema = new StringBuilder("""{"$ref":"#/$defs/a0","$defs":{""");
        for (var i = 0; i < 60; i++)
        {
            schema.Append($$"""
                "a{{i}}":{"allOf":[{"$ref":"#/$defs/a{{i + 1}}"},{"$ref":"#/$defs/a{{i + 1}}"}]},
                """);
        }

        schema.Append(""" "a60":{}}}""");
        Assert.Equal("$schema", Assert.Single(Errors(schema.ToString(), "1")).Keyword);
    }

    [Fact]
    public void A_schema_that_doubles_at_every_level_of_the_value_runs_out_of_steps()
    {
        var schema = """{"allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}""";
        var value = string.Concat(Enumerable.Repeat("""{"a":""", 40)) + "1" + new string('}', 40);

        Assert.Equal("$schema", Assert.Single(Errors(schema, value)).Keyword);
    }

    /// <summary>Each of these takes seconds to minutes where only the subschemas are counted.</summary>
    [Theory]
    [InlineData("""{"items":{"enum":[?]}}""", 20_000, "\"r{0}\"", "[?]", 50_000, "\"zz\"")]
    [InlineData("""{"items":{"required":[?]}}""", 4_000, "\"r{0}\"", "[?]", 20_000, """{"a":1,"b":2,"c":3,"d":4}""")]
    [InlineData("""{"items":{"anyOf":[?]}}""", 2_000, """{"required":["x"]}""", "[?]", 20_000, """{"y":1}""")]
    [InlineData("""{"unevaluatedProperties":false,"allOf":[?]}""", 1_000, """{"patternProperties":{"^a":true}}""", "{?}", 2_000, "\"a{0}\":1")]
    [InlineData("""{"items":{"pattern":"^(a+)+(b)\\2$"}}""", 0, "", "[?]", 20_000, "\"aaaaaaaaaaaaaaaaaaaa!\"")]
    public void Work_that_piles_up_ends_soon(string schema, int schemaCount, string schemaItem, string value, int valueCount, string valueItem)
    {
        var hostile = Repeat(schema, schemaCount, schemaItem);
        var large = Repeat(value, valueCount, valueItem);
        var clock = Stopwatch.StartNew();

        Assert.NotEmpty(Errors(hostile, large));

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), clock.Elapsed.ToString());
    }

    [Fact]
    public void A_long_chain_of_references_neither_overflows_the_stack_nor_counts_as_valid()
    {
        var links = string.Join(',', Enumerable.Range(0, 4_000).Select(i => $$"""
            "a{{i}}":{"$ref":"#/$defs/a{{i + 1}}"}
            """));
        var schema = $$"""{"$ref":"#/$defs/a0","$defs":{ {{links}},"a4000":{} } }""";

        Assert.Equal("$ref", Assert.Single(Errors(schema, "1")).Keyword);
    }

    [Fact]
    public void Numbers_of_any_size_are_compared_without_expanding_them()
    {
        Assert.Empty(Errors("""{"minimum":1e999999999,"maximum":1e9999999999999999999999}""", "1e1000000000"));
        Assert.Empty(Errors("""{"multipleOf":0.01,"type":"integer"}""", "1e99999999"));
        Assert.Equal("multipleOf", Errors("""{"multipleOf":3}""", "1e99999999").Single().Keyword);
        Assert.Equal("multipleOf", Errors("""{"multipleOf":0.01}""", "1e-99999999").Single().Keyword);
        Assert.Equal("type", Errors("""{"minimum":1}""", new string('9', 100_000)).Single().Keyword);
    }

    [Fact]
    public void Unique_items_cost_no_more_than_their_number()
    {
        var items = Fixtures.Json($"[{string.Join(',', Enumerable.Range(0, 200_000))}]");

        Assert.True(JsonSchemaDocument.Compile(Fixtures.Json("""{"uniqueItems":true}""")).IsValid(items));
        Assert.Equal("uniqueItems", Errors("""{"uniqueItems":true}""", """[{"a":1,"b":[1.0]},{"b":[1],"a":1e0}]""").Single().Keyword);
    }

    [Theory]
    [InlineData("""{"minLength":1}""", """ "\ud800" """)]
    [InlineData("""{"const":"x"}""", """ "\udfff" """)]
    [InlineData("""{"additionalProperties":false}""", """{"\ud800":1}""")]
    [InlineData("""{"uniqueItems":true}""", """["\ud800","\ud800"]""")]
    public void Text_that_is_no_unicode_is_an_error_and_no_exception(string schema, string value) => Assert.NotEmpty(Errors(schema, value));

    [Fact]
    public void The_end_of_a_text_is_its_end_and_not_a_line_feed_before_it() =>
        Assert.Equal("pattern", Errors("""{"pattern":"^[a-z]+$"}""", """ "abc\n" """).Single().Keyword);

    [Fact]
    public async Task One_schema_serves_many_threads()
    {
        var schema = JsonSchemaDocument.CompileCached(Fixtures.Json("""{"unevaluatedProperties":false,"properties":{"a":{"type":"string","pattern":"^a"}}}"""));
        await Parallel.ForAsync(0, 2_000, (i, _) =>
        {
            Assert.Equal(i % 2 == 0, schema.IsValid(Fixtures.Json(i % 2 == 0 ? """{"a":"abc"}""" : """{"a":"abc","b":1}""")));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void The_same_bytes_are_compiled_once()
    {
        Assert.Same(
            JsonSchemaDocument.CompileCached(Fixtures.Json("""{"title":"once"}""")),
            JsonSchemaDocument.CompileCached(Fixtures.Json("""{"title":"once"}""")));
    }

    private static SchemaError Refused(string schema)
    {
        Assert.False(JsonSchemaDocument.TryCompile(Fixtures.Json(schema), out _, out var error));
        return error;
    }

    /// <summary>Puts numbered copies of an item in the place of <c>?</c>.</summary>
    private static string Repeat(string text, int count, string item) => text.Replace(
        "?", string.Join(',', Enumerable.Range(0, count).Select(i => item.Replace("{0}", $"{i}", StringComparison.Ordinal))), StringComparison.Ordinal);

    private static IReadOnlyList<SchemaError> Errors(string schema, string value) =>
        JsonSchemaDocument.Compile(Fixtures.Json(schema)).Validate(Fixtures.Json(value));
}
