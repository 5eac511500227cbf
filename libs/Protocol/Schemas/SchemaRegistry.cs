using System.Collections.Concurrent;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// The JSON Schemas that the OpenWOP project publishes, as shipped with this library. They refer to one another and to
/// nothing else; each is compiled when it is first asked for.
/// </summary>
public static class SchemaRegistry
{
    private const string BaseUri = "https://openwop.dev/spec/v1/";
    private const string Prefix = "OpenWop.Schemas.";
    private const string Suffix = ".schema.json";

    private static readonly ConcurrentDictionary<string, Lazy<JsonSchemaDocument>> Compiled = new(StringComparer.Ordinal);

    /// <summary>Names of all published schemas, such as <c>run-event</c> or <c>envelopes/error</c>, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(SchemaRegistry).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A published schema by its file name without <c>.schema.json</c>.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static JsonSchemaDocument Published(string name) => Once(name, () =>
        JsonSchemaDocument.Compile(Read(name), SchemaLimits.Published, $"{BaseUri}{name}{Suffix}", Find));

    /// <summary>A part of a published schema, such as <c>run-event-payloads</c> and <c>nodeStarted</c>.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static JsonSchemaDocument PublishedPart(string name, string definition) => Once($"{name}#{definition}", () =>
    {
        if (!Read(name).GetProperty("$defs").TryGetProperty(definition, out var _))
            throw new ArgumentException($"Schema '{name}' has no part '{definition}'.", nameof(definition));

        var reference = JsonElement.Parse($$"""{"$ref":"{{BaseUri}}{{name}}{{Suffix}}#/$defs/{{definition}}"}""");
        return JsonSchemaDocument.Compile(reference, SchemaLimits.Published, SchemaUri.Anonymous, Find);
    });

    private static JsonSchemaDocument Once(string key, Func<JsonSchemaDocument> compile) =>
        Compiled.GetOrAdd(key, _ => new Lazy<JsonSchemaDocument>(compile)).Value;

    private static JsonElement? Find(string uri) =>
        uri.StartsWith(BaseUri, StringComparison.Ordinal) && uri.EndsWith(Suffix, StringComparison.Ordinal)
        && uri[BaseUri.Length..^Suffix.Length] is var name && Names.Contains(name)
            ? Read(name)
            : null;

    private static JsonElement Read(string name)
    {
        using var stream = typeof(SchemaRegistry).Assembly.GetManifestResourceStream($"{Prefix}{name}{Suffix}")
            ?? throw new ArgumentException($"There is no published schema '{name}'.", nameof(name));
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }
}
