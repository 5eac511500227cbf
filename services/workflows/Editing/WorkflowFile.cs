using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// A workflow as a file: <c>{format, formatVersion, source, omitted?, definition}</c>. The definition stands in it as it is stored, but for
/// what may be a secret; the same version makes the same file, always.
/// </summary>
internal static class WorkflowFile
{
    public const string Format = "openwop.workflow";

    public const int FormatVersion = 1;

    /// <summary>The file holds a definition, one level further in.</summary>
    public static readonly JsonLimits Limits = new(MaxBytes: 7 << 20, MaxDepth: 66);

    private const int MaxOmitted = 1000;

    /// <summary>Headers that carry credentials. A reference in their place is none.</summary>
    private static readonly HashSet<string> CredentialHeaders = new(
        ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"], StringComparer.OrdinalIgnoreCase);

    public static ReadOnlyMemory<byte> Write(string workflowId, long version, JsonElement definition, ConnectorSet connectors)
    {
        List<string> omitted = [];
        var kept = Definition(definition, connectors, workflowId, isExport: true, omitted);
        return JsonObjects.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("format"u8, Format);
            writer.WriteNumber("formatVersion"u8, FormatVersion);
            writer.WriteStartObject("source"u8);
            writer.WriteString("id"u8, workflowId);
            writer.WriteNumber("version"u8, version);
            writer.WriteEndObject();
            WriteOmitted(writer, omitted);
            writer.WritePropertyName("definition"u8);
            writer.WriteRawValue(kept.Span, skipInputValidation: true);
            writer.WriteEndObject();
        });
    }

    /// <summary>The definition in a file, under another id.</summary>
    /// <exception cref="ProtocolException">400: the file is none, or of a version that is not known here.</exception>
    public static (ReadOnlyMemory<byte> Definition, IReadOnlyList<string> Omitted) Read(ReadOnlyMemory<byte> file, string workflowId, ConnectorSet connectors)
    {
        if (!StrictJson.TryParse(file.Span, Limits, out var root, out var problem))
            throw new ProtocolException(problem.ToProtocolError());
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.String || !format.ValueEquals(Format))
            throw Wrong($"'format' must be '{Format}'.", "format");
        if (!root.TryGetProperty("formatVersion", out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number) || number != FormatVersion)
            throw Wrong($"'formatVersion' must be {FormatVersion}: this server knows no other.", "formatVersion");
        if (!root.TryGetProperty("definition", out var definition) || definition.ValueKind != JsonValueKind.Object)
            throw Wrong("'definition' must be an object.", "definition");

        List<string> omitted = [];
        return (Definition(definition, connectors, workflowId, isExport: false, omitted), omitted);
    }

    /// <summary>Writes <c>omitted</c>: places in the definition whose values were left out.</summary>
    public static void WriteOmitted(Utf8JsonWriter writer, IReadOnlyList<string> omitted)
    {
        if (omitted.Count == 0)
            return;

        writer.WriteStartArray("omitted"u8);
        foreach (var place in omitted)
            writer.WriteStringValue(place);
        writer.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> Definition(JsonElement definition, ConnectorSet connectors, string workflowId, bool isExport, List<string> omitted)
    {
        // A workflow without a name goes by its id.
        var goesById = definition.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            && definition.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.ValueEquals(id.GetString());
        return JsonObjects.Write(writer =>
        {
            writer.WriteStartObject();
            foreach (var member in definition.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "id":
                        writer.WriteString("id"u8, workflowId);
                        break;
                    case "name" when goesById:
                        writer.WriteString("name"u8, workflowId);
                        break;
                    case "nodes" when member.Value.ValueKind == JsonValueKind.Array:
                        WriteItems(writer, member, (node, index) => WriteNode(writer, node, connectors, isExport, $"/nodes/{index}", omitted));
                        break;
                    case "variables" when member.Value.ValueKind == JsonValueKind.Array && isExport:
                        WriteItems(writer, member, (variable, index) => WriteVariable(writer, variable, $"/variables/{index}", omitted));
                        break;
                    default:
                        member.WriteTo(writer);
                        break;
                }
            }

            writer.WriteEndObject();
        });
    }

    private static void WriteItems(Utf8JsonWriter writer, JsonProperty list, Action<JsonElement, int> write)
    {
        writer.WriteStartArray(list.Name);
        var index = 0;
        foreach (var item in list.Value.EnumerateArray())
            write(item, index++);
        writer.WriteEndArray();
    }

    private static void WriteNode(Utf8JsonWriter writer, JsonElement node, ConnectorSet connectors, bool isExport, string place, List<string> omitted)
    {
        var connector = node.ValueKind == JsonValueKind.Object && node.TryGetProperty("typeId", out var type) && type.ValueKind == JsonValueKind.String
            ? connectors.Find(type.GetString()!)
            : null;
        WriteObject(writer, node, member =>
        {
            if (member.Name != "config")
                return false;

            writer.WritePropertyName(member.Name);
            WriteObject(writer, member.Value, parameter =>
            {
                var at = $"{place}/config/{JsonPath.Escape(parameter.Name)}";
                if (connector?.Parameters.Any(known => known.Name == parameter.Name && known.Visibility == ParameterVisibility.Hidden) == true)
                    return Omit(at, omitted);
                if (!isExport || parameter.Name != "headers" || parameter.Value.ValueKind != JsonValueKind.Object)
                    return false;

                writer.WritePropertyName(parameter.Name);
                WriteObject(writer, parameter.Value, header => CredentialHeaders.Contains(header.Name) && IsLiteral(header.Value)
                    && Omit($"{at}/{JsonPath.Escape(header.Name)}", omitted));
                return true;
            });
            return true;
        });
    }

    private static void WriteVariable(Utf8JsonWriter writer, JsonElement variable, string place, List<string> omitted)
    {
        var isSensitive = variable.ValueKind == JsonValueKind.Object && variable.TryGetProperty("sensitive", out var sensitive) && sensitive.ValueKind == JsonValueKind.True;
        WriteObject(writer, variable, member => isSensitive && member.Name == "defaultValue" && Omit($"{place}/defaultValue", omitted));
    }

    /// <param name="handle">Writes a member otherwise, or leaves it out; false = it is written as it is.</param>
    private static void WriteObject(Utf8JsonWriter writer, JsonElement value, Func<JsonProperty, bool> handle)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            value.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        foreach (var member in value.EnumerateObject())
        {
            if (!handle(member))
                member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static bool Omit(string place, List<string> omitted)
    {
        if (omitted.Count < MaxOmitted)
            omitted.Add(place);
        return true;
    }

    private static bool IsLiteral(JsonElement value) => value.ValueKind != JsonValueKind.String || !Templates.Scan(value.GetString()!).Any();

    private static ProtocolException Wrong(string message, string field) => new(ProtocolError.Validation(message, field));
}
