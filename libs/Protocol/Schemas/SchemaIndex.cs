using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// Every place that is a schema, in all documents of one compilation, with the resource it belongs to.
/// </summary>
internal sealed class SchemaIndex(SchemaLimits limits)
{
    /// <summary>The only dialect there is.</summary>
    public const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    /// <summary>Documents are parsed with a limit of 64; a schema applied at each level of one needs no more than this.</summary>
    private const int MaxNesting = 128;

    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private int _subschemas;

    /// <summary>All resources known so far; a copy, as loading one may add others.</summary>
    public IReadOnlyList<SchemaResource> Resources => [.. _resources.Values];

    public SchemaResource? FindResource(string uri) => _resources.GetValueOrDefault(uri);

    /// <summary>Adds a document under a URI, and under its own <c>$id</c>.</summary>
    public SchemaSource Add(JsonElement document, string baseUri)
    {
        var source = new SchemaSource();
        var resource = new SchemaResource(baseUri, source, "");
        _resources.TryAdd(baseUri, resource);
        Walk(source, document, "", resource, 0);
        return source;
    }

    /// <summary>Lets go of the documents: compiled nodes do not need them.</summary>
    public void Forget()
    {
        foreach (var resource in _resources.Values)
        {
            resource.Source.Places.Clear();
        }
    }

    private static InvalidSchemaException Invalid(string pointer, string keyword, string message) =>
        new(new SchemaError($"{pointer}/{keyword}", keyword, message));

    private void Walk(SchemaSource source, JsonElement schema, string pointer, SchemaResource resource, int nesting)
    {
        if (schema.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
            throw new InvalidSchemaException(new SchemaError(pointer, "type", "A schema must be an object or a boolean."));

        if (++_subschemas > limits.MaxSubschemas || nesting > MaxNesting)
            throw new InvalidSchemaException(new SchemaError(pointer, "$schema", "The schema is too large or nested too deeply."));

        if (schema.ValueKind == JsonValueKind.Object)
            resource = ReadIdentity(source, schema, pointer, resource);

        source.Places[pointer] = (schema, resource);
        if (schema.ValueKind != JsonValueKind.Object)
            return;

        foreach (var member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                case "additionalProperties" or "propertyNames" or "items" or "contains" or "unevaluatedItems" or "unevaluatedProperties"
                    or "not" or "if" or "then" or "else" or "contentSchema":
                    Walk(source, member.Value, $"{pointer}/{member.Name}", resource, nesting + 1);
                    break;
                case "allOf" or "anyOf" or "oneOf" or "prefixItems" when member.Value.ValueKind == JsonValueKind.Array:
                    var i = 0;
                    foreach (var item in member.Value.EnumerateArray())
                    {
                        Walk(source, item, $"{pointer}/{member.Name}/{i++}", resource, nesting + 1);
                    }

                    break;
                case "properties" or "patternProperties" or "$defs" or "definitions" or "dependentSchemas"
                    when member.Value.ValueKind == JsonValueKind.Object:
                    foreach (var item in member.Value.EnumerateObject())
                    {
                        Walk(source, item.Value, $"{pointer}/{member.Name}/{JsonPath.Escape(item.Name)}", resource, nesting + 1);
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private SchemaResource ReadIdentity(SchemaSource source, JsonElement schema, string pointer, SchemaResource resource)
    {
        if (schema.TryGetProperty("$schema", out var dialect)
            && (dialect.ValueKind != JsonValueKind.String || dialect.GetString()!.TrimEnd('#') != Dialect))
        {
            throw Invalid(pointer, "$schema", $"Only {Dialect} is supported.");
        }

        if (schema.TryGetProperty("$id", out var id))
        {
            if (id.ValueKind != JsonValueKind.String
                || !SchemaUri.TryResolve(resource.Uri, id.GetString()!, out var uri, out var fragment)
                || fragment.Length > 0)
            {
                throw Invalid(pointer, "$id", "An identifier must be a URI without a fragment.");
            }

            resource = new SchemaResource(uri, source, pointer);
            if (!_resources.TryAdd(uri, resource))
            {
                // The same document under its own name again; two different schemas of one name are a mistake.
                var known = _resources[uri];
                if (known.Source != source || known.Pointer != pointer)
                    throw Invalid(pointer, "$id", "Two schemas have the same identifier.");

                resource = known;
            }
        }

        foreach (var keyword in (ReadOnlySpan<string>)["$anchor", "$dynamicAnchor"])
        {
            if (!schema.TryGetProperty(keyword, out var anchor))
                continue;

            if (anchor.ValueKind != JsonValueKind.String || anchor.GetString() is not { Length: > 0 } name || name[0] == '/')
                throw Invalid(pointer, keyword, "An anchor must be a name.");

            if (resource.Anchors.TryGetValue(name, out var other) && other != pointer)
                throw Invalid(pointer, keyword, "Two schemas have the same anchor.");

            resource.Anchors[name] = pointer;
            if (keyword == "$dynamicAnchor")
                resource.DynamicNames.Add(name);
        }

        return resource;
    }
}
