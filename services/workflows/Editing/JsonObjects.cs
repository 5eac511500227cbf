using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Makes JSON values. Numbers keep their text.</summary>
internal static class JsonObjects
{
    public static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 1024 };

    /// <summary>An object of these members, in their order.</summary>
    public static JsonElement Of(IEnumerable<(string Name, JsonElement Value)> members)
    {
        var utf8 = Write(writer =>
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }

            writer.WriteEndObject();
        });
        return JsonElement.Parse(utf8.Span, Reading);
    }

    /// <summary>A document as UTF-8.</summary>
    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            write(writer);
        }

        return buffer.WrittenMemory;
    }
}
