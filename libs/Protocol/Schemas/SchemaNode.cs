using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>JSON types a schema allows.</summary>
[Flags]
internal enum SchemaTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Object = 4,
    Array = 8,
    Number = 16,
    String = 32,
    Integer = 64,
}

/// <summary>A schema resource: a document, or the part of one below an <c>$id</c>.</summary>
/// <param name="uri">Absolute URI without fragment.</param>
/// <param name="source">The document it is in.</param>
/// <param name="pointer">Pointer of its root within the document.</param>
internal sealed class SchemaResource(string uri, SchemaSource source, string pointer)
{
    public string Uri => uri;

    public SchemaSource Source => source;

    public string Pointer => pointer;

    /// <summary>Pointers of <c>$anchor</c> and <c>$dynamicAnchor</c> by name.</summary>
    public Dictionary<string, string> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of <c>$dynamicAnchor</c>.</summary>
    public HashSet<string> DynamicNames { get; } = new(StringComparer.Ordinal);

    /// <summary>Compiled targets of <c>$dynamicAnchor</c> by name.</summary>
    public Dictionary<string, SchemaNode> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}

/// <summary>A JSON document that holds schemas.</summary>
internal sealed class SchemaSource
{
    /// <summary>Every place that is a schema, by pointer.</summary>
    public Dictionary<string, (JsonElement Schema, SchemaResource Resource)> Places { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// A compiled subschema: keywords as typed fields, references resolved. Null and zero mean "keyword absent". Immutable once
/// <see cref="SchemaCompiler"/> is done, so that any number of threads may evaluate it.
/// </summary>
internal sealed class SchemaNode(SchemaResource resource)
{
    public SchemaResource Resource => resource;

    /// <summary>Value of a boolean schema.</summary>
    public bool? Always { get; set; }

    public SchemaTypes Types { get; set; }
    public JsonElement? Const { get; set; }
    public JsonElement[]? Enum { get; set; }

    public JsonNumber? Minimum { get; set; }
    public JsonNumber? ExclusiveMinimum { get; set; }
    public JsonNumber? Maximum { get; set; }
    public JsonNumber? ExclusiveMaximum { get; set; }
    public JsonNumber? MultipleOf { get; set; }

    public int? MinLength { get; set; }
    public int? MaxLength { get; set; }
    public SchemaPattern? Pattern { get; set; }

    public int? MinItems { get; set; }
    public int? MaxItems { get; set; }
    public bool UniqueItems { get; set; }
    public SchemaNode[]? PrefixItems { get; set; }
    public SchemaNode? Items { get; set; }
    public SchemaNode? Contains { get; set; }
    public int? MinContains { get; set; }
    public int? MaxContains { get; set; }
    public SchemaNode? UnevaluatedItems { get; set; }

    public int? MinProperties { get; set; }
    public int? MaxProperties { get; set; }
    public string[]? Required { get; set; }
    public Dictionary<string, string[]>? DependentRequired { get; set; }
    public Dictionary<string, SchemaNode>? Properties { get; set; }
    public (SchemaPattern Pattern, SchemaNode Schema)[]? PatternProperties { get; set; }
    public SchemaNode? AdditionalProperties { get; set; }
    public SchemaNode? PropertyNames { get; set; }
    public Dictionary<string, SchemaNode>? DependentSchemas { get; set; }
    public SchemaNode? UnevaluatedProperties { get; set; }

    public SchemaNode[]? AllOf { get; set; }
    public SchemaNode[]? AnyOf { get; set; }
    public SchemaNode[]? OneOf { get; set; }
    public SchemaNode? Not { get; set; }
    public SchemaNode? If { get; set; }
    public SchemaNode? Then { get; set; }
    public SchemaNode? Else { get; set; }

    public SchemaNode? Ref { get; set; }
    public SchemaNode? DynamicRef { get; set; }

    /// <summary>Name to look up in the dynamic scope; null when <see cref="DynamicRef"/> behaves like <see cref="Ref"/>.</summary>
    public string? DynamicAnchor { get; set; }

    /// <summary>True when what was evaluated must be remembered for this very subschema.</summary>
    public bool LooksBack => UnevaluatedItems is not null || UnevaluatedProperties is not null;

    /// <summary>Subschemas that apply to the same value: the edges along which a cycle would never end.</summary>
    public IEnumerable<SchemaNode> InPlace()
    {
        SchemaNode?[] single = [Ref, DynamicRef, Not, If, Then, Else];
        return single.OfType<SchemaNode>()
            .Concat(AllOf ?? [])
            .Concat(AnyOf ?? [])
            .Concat(OneOf ?? [])
            .Concat(DependentSchemas?.Values ?? Enumerable.Empty<SchemaNode>());
    }
}
