using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>
/// How an event becomes the inputs of a run. Without a mapping they are <c>{runId, workflowId, type, event}</c>. A mapping names for each
/// input where it comes from: <c>event</c>, <c>event:/json/pointer</c>, <c>runId</c>, <c>workflowId</c> or <c>type</c>; what is not there
/// stays absent.
/// </summary>
internal static class EventInputs
{
    public const int MaxEntries = 64;

    private const int MaxSourceLength = 512;
    private const string Event = "event";
    private const string Within = "event:";

    /// <summary>Whether a text says where an input comes from.</summary>
    public static bool IsSource(string source) => source.Length <= MaxSourceLength
        && (source is Event or "runId" or "workflowId" or "type" || (source.StartsWith(Within, StringComparison.Ordinal) && JsonPointer.IsPointer(source[Within.Length..])));

    /// <summary>Writes the inputs, an object.</summary>
    /// <param name="mapping">An object of sources by input, or undefined.</param>
    public static void Write(Utf8JsonWriter writer, JsonElement mapping, Firing firing)
    {
        var document = JsonElement.Parse(firing.Document);
        writer.WriteStartObject();
        if (mapping.ValueKind == JsonValueKind.Object)
        {
            foreach (var entry in mapping.EnumerateObject())
                WriteFrom(writer, entry.Name, entry.Value.GetString()!, firing, document);
        }
        else
        {
            foreach (var source in (string[])["runId", "workflowId", "type", Event])
                WriteFrom(writer, source, source, firing, document);
        }

        writer.WriteEndObject();
    }

    private static void WriteFrom(Utf8JsonWriter writer, string input, string source, Firing firing, JsonElement document)
    {
        switch (source)
        {
            case "runId":
                writer.WriteString(input, firing.SourceRunId);
                break;
            case "workflowId":
                writer.WriteString(input, firing.SourceWorkflowId);
                break;
            case "type":
                writer.WriteString(input, firing.EventType);
                break;
            default:
                if (JsonPointer.Find(document, source == Event ? "" : source[Within.Length..]) is { } value)
                {
                    writer.WritePropertyName(input);
                    value.WriteTo(writer);
                }

                break;
        }
    }
}
