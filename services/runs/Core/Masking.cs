using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Masks sensitive values before they are written (spec/runs-streams-replay.md 9.4).</summary>
internal static class Masking
{
    public const string Mask = "[REDACTED]";

    public static readonly JsonElement MaskValue = JsonElement.Parse("\"[REDACTED]\""u8);

    /// <summary>Outputs with the sensitive ports masked; null when there is nothing to mask.</summary>
    public static JsonElement? Outputs(JsonElement outputs, ImmutableHashSet<string> sensitivePorts)
    {
        if (sensitivePorts.IsEmpty || outputs.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        return JsonValues.Object(writer =>
        {
            foreach (var output in outputs.EnumerateObject())
            {
                writer.WritePropertyName(output.Name);
                (sensitivePorts.Contains(output.Name) ? MaskValue : output.Value).WriteTo(writer);
            }
        });
    }

    /// <summary>Writes an object with the named members masked.</summary>
    public static void WriteValues(Utf8JsonWriter writer, JsonElement values, ImmutableHashSet<string> sensitive)
    {
        writer.WriteStartObject();
        if (values.ValueKind == JsonValueKind.Object)
        {
            foreach (var value in values.EnumerateObject())
            {
                writer.WritePropertyName(value.Name);
                (sensitive.Contains(value.Name) ? MaskValue : value.Value).WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }
}
