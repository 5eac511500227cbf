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
            this.Read(member.Name, member.Value);
        }
    }

    private void Read(string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type": node.Types = this.Types(value); break;
            case "const": node.Const = value.Clone(); break;
            case "enum": node.Enum = this.Enum(value); break;

            case "minimum": node.Minimum = this.Number(keyword, value); break;
            case "exclusiveMinimum": node.ExclusiveMinimum = this.Number(keyword, value); break;
            case "maximum": node.Maximum = this.Number(keyword, value); break;
            case "exclusiveMaximum": node.ExclusiveMaximum = this.Number(keyword, value); break;
            case "multipleOf":
                node.MultipleOf = this.Number(keyword, value) is { IsPositive: true } divisor
                    ? divisor
                    : throw this.Invalid(keyword, "A divisor must be positive.");
                break;

            case "minLength": node.MinLength = this.Count(keyword, value); break;
            case "maxLength": node.MaxLength = this.Count(keyword, value); break;
            case "pattern": node.Pattern = this.Pattern(keyword, this.Text(keyword, value)); break;

            case "minItems": node.MinItems = this.Count(keyword, value); break;
            case "maxItems": node.MaxItems = this.Count(keyword, value); break;
            case "uniqueItems": node.UniqueItems = this.Flag(keyword, value); break;
            case "prefixItems": node.PrefixItems = this.List(keyword, value); break;
            case "items": node.Items = this.Schema(keyword); break;
            case "contains": node.Contains = this.Schema(keyword); break;
            case "minContains": node.MinContains = this.Count(keyword, value); break;
            case "maxContains": node.MaxContains = this.Count(keyword, value); break;
            case "unevaluatedItems": node.UnevaluatedItems = this.Schema(keyword); break;

            case "minProperties": node.MinProperties = this.Count(keyword, value); break;
            case "maxProperties": node.MaxProperties = this.Count(keyword, value); break;
            case "required": node.Required = this.Names(keyword, value); break;
            case "dependentRequired":
                node.DependentRequired = this.Members(keyword, value)
                    .ToDictionary(member => member.Name, member => this.Names(keyword, member.Value), StringComparer.Ordinal);
                break;
            case "properties": node.Properties = this.Map(keyword, value); break;
            case "patternProperties":
                node.PatternProperties = [.. this.Map(keyword, value).Select(entry => (this.Pattern(keyword, entry.Key), entry.Value))];
                break;
            case "additionalProperties": node.AdditionalProperties = this.Schema(keyword); break;
            case "propertyNames": node.PropertyNames = this.Schema(keyword); break;
            case "dependentSchemas": node.DependentSchemas = this.Map(keyword, value); break;
            case "unevaluatedProperties": node.UnevaluatedProperties = this.Schema(keyword); break;

            case "allOf": node.AllOf = this.List(keyword, value); break;
            case "anyOf": node.AnyOf = this.List(keyword, value); break;
            case "oneOf": node.OneOf = this.List(keyword, value); break;
            case "not": node.Not = this.Schema(keyword); break;
            case "if": node.If = this.Schema(keyword); break;
            case "then": node.Then = this.Schema(keyword); break;
            case "else": node.Else = this.Schema(keyword); break;

            case "$ref": node.Ref = this.Reference(keyword, value, out _); break;
            case "$dynamicRef":
                node.DynamicRef = this.Reference(keyword, value, out var anchor);
                node.DynamicAnchor = anchor;
                break;

            case "$defs" or "definitions": this.Members(keyword, value); break;
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
            : throw this.Invalid(keyword, "The value must be a list of schemas, and not empty.");

    private JsonElement.ObjectEnumerator Members(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw this.Invalid(keyword, "The value must be an object.");

    private Dictionary<string, SchemaNode> Map(string keyword, JsonElement value)
    {
        var map = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        foreach (var member in this.Members(keyword, value))
        {
            map[member.Name] = compiler.At(source, $"{pointer}/{keyword}/{JsonPath.Escape(member.Name)}");
        }

        return map;
    }

    private SchemaNode Reference(string keyword, JsonElement value, out string? dynamicAnchor) =>
        compiler.Resolve(this.Text(keyword, value), source.Places[pointer].Resource, out dynamicAnchor)
            ?? throw this.Invalid(keyword, "The reference points to no schema. Schemas are never fetched.");

    private string Text(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw this.Invalid(keyword, "The value must be a string.");

    private bool Flag(string keyword, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw this.Invalid(keyword, "The value must be a boolean."),
    };

    private JsonNumber Number(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && JsonNumber.TryRead(value, out var number)
            ? number
            : throw this.Invalid(keyword, $"The value must be a number of at most {JsonNumber.MaxLength} characters.");

    private int Count(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && JsonNumber.TryRead(value, out var number) && number.ToCount() is { } count
            ? count
            : throw this.Invalid(keyword, "The value must be a whole number, zero or more.");

    private string[] Names(string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)]
            : throw this.Invalid(keyword, "The value must be a list of names.");

    private JsonElement[] Enum(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.Clone())]
            : throw this.Invalid("enum", "The value must be a list.");

    private SchemaTypes Types(JsonElement value)
    {
        JsonElement[] names = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        var types = SchemaTypes.None;
        foreach (var name in names)
        {
            var type = name.ValueKind == JsonValueKind.String ? TypeOf(name.GetString()) : SchemaTypes.None;
            types |= type == SchemaTypes.None ? throw this.Invalid("type", "The value must name JSON types.") : type;
        }

        return types == SchemaTypes.None ? throw this.Invalid("type", "The value must name at least one type.") : types;
    }

    private SchemaPattern Pattern(string keyword, string pattern)
    {
        try
        {
            return SchemaPattern.Compile(pattern, limits);
        }
        catch (ArgumentException)
        {
            throw this.Invalid(keyword, $"The pattern is not a regular expression of at most {limits.MaxPatternLength} characters.");
        }
    }
}
