using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Builds the JSON values that nodes return.</summary>
internal static class NodeJson
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Deep enough to read whatever was written; what is too deep is refused by <see cref="NodeLimits"/>.</summary>
    private static readonly JsonDocumentOptions ReadOptions = new() { MaxDepth = 1024 };

    /// <summary>The empty object.</summary>
    public static readonly JsonElement EmptyObject = JsonElement.Parse("{}"u8);

    /// <summary>JSON null.</summary>
    public static readonly JsonElement Null = JsonElement.Parse("null"u8);

    /// <summary>An object whose members <paramref name="write"/> writes.</summary>
    public static JsonElement Object(Action<Utf8JsonWriter> write) => Value(writer =>
    {
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
    });

    /// <summary>An object of the given members, in their order. Numbers keep their text.</summary>
    public static JsonElement Object(IReadOnlyCollection<KeyValuePair<string, JsonElement>> members) =>
        members.Count == 0 ? EmptyObject : Object(writer => WriteMembers(writer, members));

    /// <summary>A value that <paramref name="write"/> writes.</summary>
    public static JsonElement Value(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer);
        }

        return JsonElement.Parse(buffer.WrittenSpan, ReadOptions);
    }

    /// <summary>Writes members into the object that is open on the writer.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, JsonElement>> members)
    {
        foreach (var (name, value) in members)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }
}
