using System.Text.Json;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>The types a variable may declare (spec/runs-streams-replay.md 1.4).</summary>
public static class VariableTypes
{
    /// <summary>True when a value is of a declared type. <c>null</c> is of none.</summary>
    public static bool Accepts(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => false,
    };
}
