using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// A compiled JSON Schema, draft 2020-12. Immutable and safe for any number of threads. <c>format</c> and the content
/// keywords are annotations, as the draft has it; nothing is ever fetched.
/// </summary>
public sealed class JsonSchemaDocument
{
    /// <summary>Errors that one validation reports unless asked for another number.</summary>
    public const int DefaultMaxErrors = 20;

    private const int MaxCached = 512;

    private static readonly ConcurrentDictionary<string, JsonSchemaDocument> Cache = new(StringComparer.Ordinal);

    private readonly SchemaNode _root;
    private readonly SchemaLimits _limits;

    internal JsonSchemaDocument(SchemaNode root, SchemaLimits limits)
    {
        _root = root;
        _limits = limits;
    }

    /// <summary>Compiles a schema from an untrusted document.</summary>
    /// <exception cref="InvalidSchemaException">
    /// It is no schema, refers to something outside, or exceeds <see cref="SchemaLimits.Untrusted"/>.
    /// </exception>
    public static JsonSchemaDocument Compile(JsonElement schema) => Compile(schema, SchemaLimits.Untrusted, SchemaUri.Anonymous, static _ => null);

    /// <summary>Compiles a schema, or says what is wrong with it.</summary>
    public static bool TryCompile(
        JsonElement schema, [NotNullWhen(true)] out JsonSchemaDocument? document, [NotNullWhen(false)] out SchemaError? error)
    {
        try
        {
            (document, error) = (Compile(schema), null);
            return true;
        }
        catch (InvalidSchemaException invalid)
        {
            (document, error) = (null, invalid.Error);
            return false;
        }
    }

    /// <summary>Like <see cref="Compile(JsonElement)"/>, but the same bytes are compiled once per process.</summary>
    public static JsonSchemaDocument CompileCached(JsonElement schema)
    {
        var key = Convert.ToHexString(SHA256.HashData(JsonMarshal.GetRawUtf8Value(schema)));
        if (Cache.TryGetValue(key, out var known))
            return known;

        var document = Compile(schema.Clone());
        if (Cache.Count >= MaxCached)
            Cache.Clear(); // Schemas in use come back at once; a bound matters more than a perfect choice.

        return Cache.GetOrAdd(key, document);
    }

    /// <summary>What keeps a value from fitting the schema: at most <paramref name="maxErrors"/>, ordered by path; empty when it fits.</summary>
    public IReadOnlyList<SchemaError> Validate(JsonElement value, int maxErrors = DefaultMaxErrors)
    {
        var errors = SchemaEvaluator.Run(_root, value, _limits, maxErrors);
        if (errors.Count > 1)
        {
            errors.Sort(static (a, b) =>
                string.CompareOrdinal(a.Path, b.Path) is not 0 and var order ? order : string.CompareOrdinal(a.Message, b.Message));
        }

        return errors;
    }

    /// <summary>True when a value fits the schema.</summary>
    public bool IsValid(JsonElement value) => SchemaEvaluator.Run(_root, value, _limits, 1).Count == 0;

    internal static JsonSchemaDocument Compile(JsonElement schema, SchemaLimits limits, string baseUri, Func<string, JsonElement?> external)
    {
        try
        {
            return new JsonSchemaDocument(new SchemaCompiler(limits, external).Compile(schema, baseUri), limits);
        }
        catch (InvalidOperationException)
        {
            throw new InvalidSchemaException(new SchemaError("", "$schema", "A string of the schema is not valid Unicode."));
        }
    }
}
