using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>Reads the keywords of one place into its node. A keyword of the wrong kind makes the schema invalid.</summary>
internal sealed class SchemaKeywords(
    SchemaCompiler compiler, SchemaLimits limits, SchemaNode node, SchemaSource source, string pointer)
{
    public void Read()
    {
        var schema = source.Places[pointer].Schema;
        if (schema.ValueKind != JsonValueKind.Object)
        {
            node.Always = schema.ValueKind == JsonValueKind.True;
            return;
        }

        foreach (var member in schema.EnumerateObject())
        {
            Read(member.Name, member.Value);
        }
    }

    private void Read(string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type": node.Types = Types(value); break;
            case "const": node.Const = value.Clone(); break;
            case "enum": node.Enum = Enum(value); break;

            case "minimum": node.Minimum = Number(keyword, value); break;
            case "exclusiveMinimum": node.ExclusiveMinimum = Number(keyword, value); break;
            case "maximum": node.Maximum = Number(keyword, value); break;
            case "exclusiveMaximum": node.ExclusiveMaximum = Number(keyword, value); break;
            case "multipleOf":
                node.MultipleOf = Number(keyword, value) is { IsPositive: true } divisor
                    ? divisor
                    : throw Invalid(keyword, "A divisor must be positive.");
                break;

            case "minLength": node.MinLength = Count(keyword, value); break;
            case "maxLength": node.MaxLength = Count(keyword, value); break;
            case "pattern": node.Pattern = Pattern(keyword, Text(keyword, value)); break;

            case "minItems": node.MinItems = Count(keyword, value); break;
            case "maxItems": node.MaxItems = Count(keyword, value); break;
            case "uniqueItems": node.UniqueItems = Flag(keyword, value); break;
            case "prefixItems": node.PrefixItems = List(keyword, value); break;
            case "items": node.Items = Schema(keyword); break;
            case "contains": node.Contains = Schema(keyword); break;
            case "minContains": node.MinContains = Count(keyword, value); break;
            case "maxContains": node.MaxContains = Count(keyword, value); break;
            case "unevaluatedItems": node.UnevaluatedItems = Schema(keyword); break;

            case "minProperties": node.MinProperties = Count(keyword, value); break;
            case "maxProperties": node.MaxProperties = Count(keyword, value); break;
            case "required": node.Required = Names(keyword, value); break;
            case "dependentRequired":
                node.DependentRequired = Members(keyword, value)
                    .ToDictionary(member => member.Name, member => Names(keyword, member.Value), StringComparer.Ordinal);
                break;
            case "properties": node.Properties = Map(keyword, value); break;
            case "patternProperties":
                node.PatternProperties = [.. Map(keyword, value).Select(entry => (Pattern(keyword, entry.Key), entry.Value))];
                break;
            case "additionalProperties": node.AdditionalProperties = Schema(keyword); break;
            case "propertyNames": node.PropertyNames = Schema(keyword); break;
            case "dependentSchemas": node.DependentSchemas = Map(keyword, value); break;
            case "unevaluatedProperties": node.UnevaluatedProperties = Schema(keyword); break;

            case "allOf": node.AllOf = List(keyword, value); break;
            case "anyOf": node.AnyOf = List(keyword, value); break;
            case "oneOf": node.OneOf = List(keyword, value); break;
            case "not": node.Not = Schema(keyword); break;
            case "if": node.If = Schema(keyword); break;
            case "then": node.Then = Schema(keyword); break;
            case "else": node.Else = Schema(keyword); break;

            case "$ref": node.Ref = Reference(keyword, value, out _); break;
            case "$dynamicRef":
                node.DynamicRef = Reference(keyword, value, out var anchor);
                node.DynamicAnchor = anchor;
                break;

            case "$defs" or "definitions": Members(keyword, value); break;
            default: break; // Annotations and unknown keywords assert nothing; `format` is an annotation.
        }
    }

    private static SchemaTypes TypeOf(string? name) => name switch
    {
        "null" => SchemaTypes.Null,
        "boolean" => SchemaTypes.Boolean,
        "object" => SchemaTypes.Object,
        "array" => SchemaTypes.Array,
        "number" => SchemaTypes.Number,
        "string" => SchemaTypes.String,
        "integer" => SchemaTypes.Integer,
        _ => SchemaTypes.None,
    };

    private InvalidSchemaException Invalid(string keyword, string message) => new(new SchemaError($"{pointer}/{keyword}", keyword, message));

    private SchemaNode Schema(string keyword) => compiler.At(source, $"{pointer}/{keyword}");

    private SchemaNode[] List(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? [.. Enumerable.Range(0, value.GetArrayLength()).Select(i => compiler.At(source, $"{pointer}/{keyword}/{i}"))]
            : throw Invalid(keyword, "The value must be a list of schemas, and not empty.");

    private JsonElement.ObjectEnumerator Members(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Invalid(keyword, "The value must be an object.");

    private Dictionary<string, SchemaNode> Map(string keyword, JsonElement value)
    {
        var map = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        foreach (var member in Members(keyword, value))
        {
            map[member.Name] = compiler.At(source, $"{pointer}/{keyword}/{JsonPath.Escape(member.Name)}");
        }

        return map;
    }

    private SchemaNode Reference(string keyword, JsonElement value, out string? dynamicAnchor) =>
        compiler.Resolve(Text(keyword, value), source.Places[pointer].Resource, out dynamicAnchor)
            ?? throw Invalid(keyword, "The reference points to no schema. Schemas are never fetched.");

    private string Text(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Invalid(keyword, "The value must be a string.");

    private bool Flag(string keyword, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Invalid(keyword, "The value must be a boolean."),
    };

    private JsonNumber Number(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && JsonNumber.TryRead(value, out var number)
            ? number
            : throw Invalid(keyword, $"The value must be a number of at most {JsonNumber.MaxLength} characters.");

    private int Count(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && JsonNumber.TryRead(value, out var number) && number.ToCount() is { } count
            ? count
            : throw Invalid(keyword, "The value must be a whole number, zero or more.");

    private string[] Names(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)]
            : throw Invalid(keyword, "The value must be a list of names.");

    private JsonElement[] Enum(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.Clone())]
            : throw Invalid("enum", "The value must be a list.");

    private SchemaTypes Types(JsonElement value)
    {
        JsonElement[] names = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        var types = SchemaTypes.None;
        foreach (var name in names)
        {
            var type = name.ValueKind == JsonValueKind.String ? TypeOf(name.GetString()) : SchemaTypes.None;
            types |= type == SchemaTypes.None ? throw Invalid("type", "The value must name JSON types.") : type;
        }

        return types == SchemaTypes.None ? throw Invalid("type", "The value must name at least one type.") : types;
    }

    private SchemaPattern Pattern(string keyword, string pattern)
    {
        try
        {
            return SchemaPattern.Compile(pattern, limits);
        }
        catch (ArgumentException)
        {
            throw Invalid(keyword, $"The pattern is not a regular expression of at most {limits.MaxPatternLength} characters.");
        }
    }
}
