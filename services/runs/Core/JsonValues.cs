using System.Buffers;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Small JSON values made in code.</summary>
internal static class JsonValues
{
    /// <summary>
    /// For documents that the engine has made itself: they wrap values of users, which may use up the default depth alone, and
    /// a run whose log cannot be read would be stuck.
    /// </summary>
    public static readonly JsonDocumentOptions ReadOptions = new() { MaxDepth = 1024 };

    public static readonly JsonElement EmptyObject = JsonElement.Parse("{}"u8);

    /// <summary>An object whose members <paramref name="write"/> writes.</summary>
    public static JsonElement Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan, ReadOptions);
    }

    /// <summary>The member of an object, or null when there is none or this is not an object.</summary>
    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    public static string? StringMember(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static long? IntegerMember(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;

    public static bool IsDefined(this JsonElement element) => element.ValueKind != JsonValueKind.Undefined;
}
