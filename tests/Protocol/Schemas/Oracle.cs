using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

/// <summary>Another implementation of JSON Schema, to compare answers with.</summary>
internal static class Oracle
{
    private static readonly Lazy<Dictionary<string, JsonSchema>> Schemas = new(Load);

    public static JsonSchema Published(string name) => Schemas.Value[name];

    /// <summary>Copies of a document, each with one member or item removed or replaced.</summary>
    public static IEnumerable<JsonElement> Damage(JsonNode document)
    {
        foreach (var path in Places(document, []).ToArray())
        {
            foreach (var replacement in (JsonNode?[])[null, 1.5, "", new JsonObject(), new JsonArray(), true])
            {
                var copy = document.DeepClone();
                var parent = path[..^1].Aggregate(copy, (node, step) => step is int index ? node[index]! : node[(string)step]!);
                if (path[^1] is int i)
                    parent[i] = replacement?.DeepClone();
                else if (replacement is null)
                    parent.AsObject().Remove((string)path[^1]);
                else
                    parent[(string)path[^1]] = replacement.DeepClone();

                yield return Fixtures.Json(copy.ToJsonString());
            }
        }
    }

    private static IEnumerable<object[]> Places(JsonNode? node, object[] path)
    {
        if (path.Length > 0)
            yield return path;

        var children = node switch
        {
            JsonObject o => o.Select(member => ((object)member.Key, member.Value)),
            JsonArray a => a.Select((item, index) => ((object)index, item)),
            _ => [],
        };
        foreach (var (step, child) in children)
        {
            foreach (var place in Places(child, [.. path, step]))
            {
                yield return place;
            }
        }
    }

    private static Dictionary<string, JsonSchema> Load()
    {
        var options = new BuildOptions { SchemaRegistry = new SchemaRegistry() };
        var schemas = new Dictionary<string, JsonSchema>(StringComparer.Ordinal);
        foreach (var name in (string[])["prompt-kind", "prompt-ref", "agent-ref", "workflow-definition"])
        {
            var resource = typeof(Protocol.Schemas.SchemaRegistry).Assembly.GetManifestResourceStream($"OpenWop.Schemas.{name}.schema.json")!;
            schemas[name] = JsonSchema.Build(JsonDocument.Parse(resource).RootElement, options);
        }

        return schemas;
    }
}
