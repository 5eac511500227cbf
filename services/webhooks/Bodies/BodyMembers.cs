using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Webhooks.Bodies;

/// <summary>
/// Members of the bodies that callers send. <c>null</c> stands for an absent member, members that are not known are passed over, messages
/// name members and never values.
/// </summary>
internal static class BodyMembers
{
    private static readonly JsonLimits Limits = new(1 << 20, 64);

    /// <exception cref="ProtocolException">The body is no object.</exception>
    public static JsonElement Open(ReadOnlyMemory<byte> utf8)
    {
        if (!StrictJson.TryParse(utf8.Span, Limits, out var body, out var problem))
            throw Wrong(problem.Message);

        return body.ValueKind == JsonValueKind.Object ? body : throw Wrong("The body must be a JSON object.");
    }

    public static JsonElement? Find(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement body, string name, int maxLength) => Find(body, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= maxLength && !text.Contains('\0', StringComparison.Ordinal) ? text
        : throw Wrong($"'{name}' must be a text of 1 to {maxLength} characters.", name);

    /// <summary>Different texts, none of them empty.</summary>
    public static IReadOnlyList<string> Texts(JsonElement body, string name, int maxCount, int maxLength) => Find(body, name) is not { } value ? []
        : value.ValueKind == JsonValueKind.Array
            && value.GetArrayLength() is > 0 and var count && count <= maxCount
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 } text && text.Length <= maxLength)
            ? [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)]
        : throw Wrong($"'{name}' must be an array of 1 to {maxCount} texts of 1 to {maxLength} characters.", name);

    public static string Choice(JsonElement body, string name, IReadOnlyList<string> values) =>
        Find(body, name) is not { } value ? values[0]
        : value.ValueKind == JsonValueKind.String && values.Contains(value.GetString()) ? value.GetString()!
        : throw Wrong($"'{name}' must be one of: {string.Join(", ", values)}.", name);

    public static int Number(JsonElement body, string name, int min, int max, int otherwise) => Find(body, name) is not { } value ? otherwise
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max ? number
        : throw Wrong($"'{name}' must be a whole number from {min} to {max}.", name);

    public static bool Switch(JsonElement body, string name) => Find(body, name) is not { } value ? false
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong($"'{name}' must be true or false.", name);

    /// <summary>The members of a body that are to be stored: those that are known, in one order.</summary>
    /// <param name="before">What was stored before; a member that the body has replaces the one there, <c>null</c> removes it.</param>
    public static byte[] Keep(JsonElement body, IReadOnlyList<string> known, JsonElement before = default)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in known)
            {
                if (Find(body.TryGetProperty(member, out _) ? body : before, member) is { } value)
                {
                    writer.WritePropertyName(member);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static ProtocolException Missing(string name) => Wrong($"'{name}' is missing.", name);

    public static ProtocolException Wrong(string message, string? field = null) => new(ProtocolError.Validation(message, field));
}
