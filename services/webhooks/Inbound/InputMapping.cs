using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>A delivery as inputs can be made of it.</summary>
/// <param name="Headers">With lowercase names; credentials never come this far.</param>
/// <param name="Body">Undefined when nothing was sent.</param>
internal sealed record ReceivedDelivery(
    IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> Query, JsonElement Body, DateTimeOffset ReceivedAt);

/// <summary>
/// How a delivery becomes the inputs of a run. Without a mapping it is the body, or an object that holds the body when that is no object.
/// A mapping names for each input where it comes from: <c>body</c>, <c>body:/json/pointer</c>, <c>header:name</c>, <c>query:name</c> or
/// <c>receivedAt</c>; what is not there stays absent.
/// </summary>
internal static class InputMapping
{
    public const int MaxEntries = 64;
    public const int MaxNameLength = 128;
    public const int MaxSourceLength = 512;

    /// <summary>Headers that are never looked at: they are somebody's credentials, or the proof that was checked already.</summary>
    private static readonly HashSet<string> Withheld = new(StringComparer.OrdinalIgnoreCase)
    {
        "authorization", "cookie", "proxy-authorization", "x-openwop-signature", "x-hub-signature", "x-hub-signature-256", "stripe-signature", "x-slack-signature",
    };

    /// <summary>Whether a text says where an input comes from.</summary>
    public static bool IsSource(string source) => source.Length <= MaxSourceLength && Split(source) switch
    {
        ("body" or "receivedAt", null) => true,
        ("body", { } pointer) => JsonPointer.IsPointer(pointer),
        ("header", { Length: > 0 } name) => !Withheld.Contains(name),
        ("query", { Length: > 0 }) => true,
        _ => false,
    };

    /// <summary>Writes the inputs, an object.</summary>
    /// <param name="mapping">An object of sources by input, or undefined.</param>
    public static void Write(Utf8JsonWriter writer, JsonElement mapping, ReceivedDelivery delivery)
    {
        if (mapping.ValueKind != JsonValueKind.Object)
        {
            WriteWhole(writer, delivery.Body);
            return;
        }

        writer.WriteStartObject();
        foreach (var entry in mapping.EnumerateObject())
            WriteFrom(writer, entry.Name, entry.Value.GetString()!, delivery);
        writer.WriteEndObject();
    }

    private static void WriteWhole(Utf8JsonWriter writer, JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.Object)
        {
            body.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        if (body.ValueKind != JsonValueKind.Undefined)
        {
            writer.WritePropertyName("body"u8);
            body.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteFrom(Utf8JsonWriter writer, string input, string source, ReceivedDelivery delivery)
    {
        switch (Split(source))
        {
            case ("body", var pointer) when JsonPointer.Find(delivery.Body, pointer ?? "") is { } value:
                writer.WritePropertyName(input);
                value.WriteTo(writer);
                break;

            case ("header", { } name) when delivery.Headers.TryGetValue(name.ToLowerInvariant(), out var header):
                writer.WriteString(input, header);
                break;

            case ("query", { } name) when delivery.Query.TryGetValue(name, out var parameter):
                writer.WriteString(input, parameter);
                break;

            case ("receivedAt", _):
                writer.WriteString(input, delivery.ReceivedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
                break;
        }
    }

    private static (string Kind, string? Name) Split(string source) =>
        source.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (source[..colon], source[(colon + 1)..]) : (source, null);
}
