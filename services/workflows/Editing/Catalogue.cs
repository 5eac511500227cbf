using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>The block types as documents: exactly what editing enforces, as both read the same set.</summary>
internal sealed class Catalogue(ConnectorSet connectors)
{
    private readonly ReadOnlyMemory<byte> _summaries = List(connectors, isFull: false);
    private readonly ReadOnlyMemory<byte> _full = List(connectors, isFull: true);

    /// <summary><c>{data}</c> of all types.</summary>
    public ReadOnlyMemory<byte> All(bool isFull) => isFull ? _full : _summaries;

    /// <summary>One type in full; null when there is none of that name.</summary>
    public ReadOnlyMemory<byte>? One(string type) =>
        connectors.Find(type) is { } connector ? JsonObjects.Write(writer => Write(writer, connector, isFull: true)) : (ReadOnlyMemory<byte>?)null;

    private static ReadOnlyMemory<byte> List(ConnectorSet connectors, bool isFull) => JsonObjects.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartArray("data"u8);
        foreach (var connector in connectors.All)
            Write(writer, connector, isFull);
        writer.WriteEndArray();
        writer.WriteStartObject("pagination"u8);
        writer.WriteNull("next"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, Connector connector, bool isFull)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, connector.Type);
        writer.WriteString("name"u8, connector.Name);
        writer.WriteString("description"u8, connector.Description);
        writer.WriteString("category"u8, connector.Category);
        writer.WriteString("kind"u8, connector.Kind);
        if (isFull)
            WriteDetails(writer, connector);
        writer.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter writer, Connector connector)
    {
        writer.WriteStartArray("subBlocks"u8);
        foreach (var parameter in connector.Exposed)
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, parameter.Name);
            writer.WriteString("title"u8, parameter.Name);
            writer.WriteString("type"u8, parameter.Control);
            if (parameter.IsRequired)
                writer.WriteBoolean("required"u8, true);
            if (!parameter.Options.IsEmpty)
            {
                writer.WriteStartArray("options"u8);
                foreach (var option in parameter.Options)
                {
                    writer.WriteStartObject();
                    writer.WriteString("id"u8, option);
                    writer.WriteString("label"u8, option);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            writer.WriteString("description"u8, parameter.Description);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("outputs"u8);
        foreach (var output in connector.Outputs)
        {
            writer.WriteStartObject(output.Name);
            writer.WriteString("type"u8, output.Type);
            writer.WriteString("description"u8, output.Description);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        if (connector.HasOpenOutputs)
            writer.WriteBoolean("openOutputs"u8, true);
        using var example = JsonDocument.Parse(connector.Example);
        writer.WritePropertyName("example"u8);
        example.RootElement.WriteTo(writer);
    }
}
