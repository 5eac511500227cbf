using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary>
/// <c>map_data</c>: gives an object, or every object of a list, another shape. Fields are paths, so that nobody has to write code and a
/// field that is missing is absent.
/// </summary>
internal sealed class MapDataBlock : PureBlock
{
    private const int MaxFields = 500;

    public override string TypeId => "map_data";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var fields = FieldsOf(parameters);
        var filter = ItemFilter.Read(parameters);
        if (parameters.Find("source") is not { } source)
        {
            parameters.Reject("source", "must be given");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        if (parameters.Error is not null)
            return new NodeOutcome.Completed(NodeJson.EmptyObject);

        if (source.ValueKind != JsonValueKind.Array)
            return Completed("result", NodeJson.Value(writer => Write(writer, source, fields)));

        List<JsonElement> items = [.. source.EnumerateArray().Where(item => filter is null || filter.Takes(item))];
        return new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WriteStartArray("result");
            foreach (var item in items)
                Write(writer, item, fields);
            writer.WriteEndArray();
            writer.WriteNumber("count", items.Count);
        }));
    }

    /// <summary>A member of what is made: where it comes from, and what stands in for it.</summary>
    private sealed record Field(string Name, string[] Path, JsonElement Default, string? Type);

    private static List<Field>? FieldsOf(NodeParameters parameters)
    {
        if (parameters.Object("fields") is not { } given)
            return null;

        List<Field> fields = [];
        foreach (var member in given.EnumerateObject())
        {
            var field = member.Value.ValueKind switch
            {
                JsonValueKind.String => new Field(member.Name, PathOf(member.Value.GetString()!), default, null),
                JsonValueKind.Object when member.Value.TryGetProperty("path", out var path) && path.ValueKind == JsonValueKind.String => new Field(
                    member.Name,
                    PathOf(path.GetString()!),
                    member.Value.TryGetProperty("default", out var fallback) ? fallback : default,
                    member.Value.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null),
                _ => null,
            };
            if (field is null or { Type: not (null or "string" or "number" or "boolean") } || fields.Count == MaxFields)
            {
                parameters.Reject("fields", $"must be at most {MaxFields} paths, or {{path, default?, type?}} with type string, number or boolean, by name");
                return null;
            }

            fields.Add(field);
        }

        return fields;
    }

    private static string[] PathOf(string path) => path.Length == 0 ? [] : path.Split('.');

    private static void Write(Utf8JsonWriter writer, JsonElement item, List<Field>? fields)
    {
        if (fields is null)
        {
            item.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        foreach (var field in fields)
        {
            var value = BlockReference.Follow(item, field.Path);
            if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null && field.Default.ValueKind != JsonValueKind.Undefined)
                value = field.Default;
            if (value.ValueKind == JsonValueKind.Undefined)
                continue;

            writer.WritePropertyName(field.Name);
            WriteAs(writer, value, field.Type);
        }

        writer.WriteEndObject();
    }

    /// <summary>A value as another type; as it is when it cannot be one.</summary>
    private static void WriteAs(Utf8JsonWriter writer, JsonElement value, string? type)
    {
        switch (type)
        {
            case "string" when ConditionBlock.TextOf(value) is { } text:
                writer.WriteStringValue(text);
                break;
            case "number" when value.ValueKind == JsonValueKind.String && ConditionBlock.NumberOf(value) is { } number:
                writer.WriteNumberValue(number);
                break;
            case "boolean" when value.ValueKind == JsonValueKind.String && bool.TryParse(value.GetString(), out var flag):
                writer.WriteBooleanValue(flag);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    /// <summary><c>{path, operator, value}</c>: the items that are kept.</summary>
    private sealed record ItemFilter(string[] Path, string Operator, JsonElement? Value)
    {
        public static ItemFilter? Read(NodeParameters parameters)
        {
            if (parameters.Object("where") is not { } where)
                return null;

            if (where.TryGetProperty("path", out var path) && path.ValueKind == JsonValueKind.String
                && where.TryGetProperty("operator", out var operation) && operation.ValueKind == JsonValueKind.String
                && ConditionBlock.Decide(operation.GetString()!, null, null) is not null)
            {
                return new ItemFilter(PathOf(path.GetString()!), operation.GetString()!, where.TryGetProperty("value", out var value) ? value : null);
            }

            parameters.Reject("where", "must be {path, operator, value} with an operator of conditions");
            return null;
        }

        public bool Takes(JsonElement item) =>
            ConditionBlock.Decide(Operator, BlockReference.Follow(item, Path) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } found ? found : null, Value) == true;
    }
}
