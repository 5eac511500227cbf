using System.Text.Json;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>What the host says about itself.</summary>
internal sealed class Advertisement(JsonElement document)
{
    public JsonElement Document => document;

    /// <summary>The member at a path of names, undefined when there is none.</summary>
    public JsonElement this[params ReadOnlySpan<string> path]
    {
        get
        {
            var at = document;
            foreach (var name in path)
            {
                if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
                    return default;
            }

            return at;
        }
    }

    public bool Has(params ReadOnlySpan<string> path) => this[path].ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False);

    public bool HasFixture(string id) => Contains(id, "fixtures");

    /// <summary>Whether the list at a path holds a text.</summary>
    public bool Contains(string value, params ReadOnlySpan<string> path) =>
        this[path] is { ValueKind: JsonValueKind.Array } list && list.EnumerateArray().Any(item => item.ValueEquals(value));
}
