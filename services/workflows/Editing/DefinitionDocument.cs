using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// A definition as the blocks and connections in it, and back. Whatever editing does not know, in the definition and in its nodes and
/// edges, stays as it is.
/// </summary>
internal static class DefinitionDocument
{
    private const string DefaultPort = "output";

    /// <summary>Retries of a block whose failure may pass: after 1, 2, 4 and 8 s.</summary>
    private const int MaxRetries = 4;

    private const int RetryDelayMs = 1000;

    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    /// <summary>The format of definitions that are made here.</summary>
    private static readonly JsonElement NewDefinition = JsonElement.Parse(
        """{"id":"","name":"","version":"1.0.0","nodes":[],"edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}""");

    /// <summary>The graph of a definition.</summary>
    /// <param name="workflowId">Its id.</param>
    public static BlockGraph Read(string workflowId, JsonElement definition) => new(
        Items(definition, "nodes").Where(node => !IsPlaceholder(definition, node)).Select(ReadBlock),
        Items(definition, "edges").Select(ReadConnection),
        Text(definition, "name") is { } name && name != workflowId ? name : null,
        Text(definition, "description"),
        VariablesOf(definition));

    /// <summary>The graph of a workflow without anything.</summary>
    public static BlockGraph Empty(string? name, string? description) => new([], [], name, description, default);

    /// <summary>The definition with another graph in it.</summary>
    /// <param name="stored">What it was; undefined for a new one.</param>
    public static ReadOnlyMemory<byte> Write(string workflowId, JsonElement stored, BlockGraph graph, ConnectorSet connectors)
    {
        var removed = graph.Removed.Where(id => !graph.Contains(id)).ToHashSet(StringComparer.Ordinal);
        return JsonObjects.Write(writer =>
        {
            var hasDescription = false;
            writer.WriteStartObject();
            foreach (var member in (stored.ValueKind == JsonValueKind.Undefined ? NewDefinition : stored).EnumerateObject())
            {
                switch (member.Name)
                {
                    case "id":
                        writer.WriteString("id"u8, workflowId);
                        break;
                    case "name":
                        writer.WriteString("name"u8, graph.Name ?? workflowId);
                        break;
                    case "description":
                        hasDescription = true;
                        WriteText(writer, "description", graph.Description);
                        break;
                    case "nodes":
                        WriteNodes(writer, graph, connectors, removed);
                        break;
                    case "edges":
                        WriteEdges(writer, graph, connectors);
                        break;
                    case "variables" when graph.HasNewVariables:
                        WriteVariables(writer, graph.Variables);
                        break;
                    case "triggers" when removed.Count > 0:
                        WriteList(writer, member, trigger => Text(trigger, "nodeId") is not { } nodeId || !removed.Contains(nodeId));
                        break;
                    case "groups" when removed.Count > 0:
                        WriteGroups(writer, member.Value, removed);
                        break;
                    default:
                        member.WriteTo(writer);
                        break;
                }
            }

            if (!hasDescription)
                WriteText(writer, "description", graph.Description);
            writer.WriteEndObject();
        });
    }

    private static Block ReadBlock(JsonElement node)
    {
        var id = Text(node, "id")!;
        var position = node.TryGetProperty("position", out var place) ? place : EmptyObject;
        return new Block(id, Text(node, "typeId")!, node.TryGetProperty("config", out var config) ? config : EmptyObject)
        {
            Name = Text(node, "name") is { } name && name != id ? name : null,
            IsEnabled = !node.TryGetProperty("disabled", out var disabled) || disabled.ValueKind != JsonValueKind.True,
            X = Number(position, "x"),
            Y = Number(position, "y"),
            Stored = node,
        };
    }

    private static Connection ReadConnection(JsonElement edge) => new(
        Text(edge, "sourceNodeId")!,
        Text(edge, "targetNodeId")!,
        Text(edge, "sourceOutput") is { Length: > 0 } port && port != DefaultPort ? port : null)
    {
        Condition = Text(edge, "label"),
        Stored = edge,
    };

    private static void WriteNodes(Utf8JsonWriter writer, BlockGraph graph, ConnectorSet connectors, HashSet<string> removed)
    {
        writer.WriteStartArray("nodes"u8);
        foreach (var block in graph.Blocks)
        {
            if (block.IsChanged || RefersTo(block.Stored, removed))
                WriteNode(writer, block, connectors, removed);
            else
                block.Stored.WriteTo(writer);
        }

        if (graph.BlockCount == 0)
            WriteNode(writer, new Block(BlockTypes.PlaceholderId, BlockTypes.PlaceholderTypeId, EmptyObject), connectors, removed);
        writer.WriteEndArray();
    }

    private static void WriteNode(Utf8JsonWriter writer, Block block, ConnectorSet connectors, HashSet<string> removed)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, block.Id);
        writer.WriteString("typeId"u8, block.Type);
        writer.WriteString("name"u8, block.Name ?? block.Id);
        writer.WriteStartObject("position"u8);
        writer.WriteNumber("x"u8, block.X);
        writer.WriteNumber("y"u8, block.Y);
        writer.WriteEndObject();
        writer.WritePropertyName("config"u8);
        block.Params.WriteTo(writer);
        WriteInputs(writer, block.Stored, removed);
        if (!block.IsEnabled)
            writer.WriteBoolean("disabled"u8, true);

        if (block.Stored.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in block.Stored.EnumerateObject())
            {
                if (member.Name is not ("id" or "typeId" or "name" or "position" or "config" or "inputs" or "disabled"))
                    member.WriteTo(writer);
            }
        }
        else if (connectors.Find(block.Type)?.Kind == "compute")
        {
            writer.WriteStartObject("settings"u8);
            writer.WriteNumber("maxRetries"u8, MaxRetries);
            writer.WriteNumber("retryDelayMs"u8, RetryDelayMs);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>Input ports, without those that took something from a node that is gone.</summary>
    private static void WriteInputs(Utf8JsonWriter writer, JsonElement node, HashSet<string> removed)
    {
        writer.WriteStartObject("inputs"u8);
        if (node.ValueKind == JsonValueKind.Object && node.TryGetProperty("inputs", out var inputs))
        {
            foreach (var port in inputs.EnumerateObject())
            {
                if (Text(port.Value, "nodeId") is not { } source || !removed.Contains(source))
                    port.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private static bool RefersTo(JsonElement node, HashSet<string> removed) =>
        removed.Count > 0
        && node.TryGetProperty("inputs", out var inputs)
        && inputs.EnumerateObject().Any(port => Text(port.Value, "nodeId") is { } source && removed.Contains(source));

    private static void WriteEdges(Utf8JsonWriter writer, BlockGraph graph, ConnectorSet connectors)
    {
        var taken = graph.Connections
            .Where(connection => connection.Stored.ValueKind == JsonValueKind.Object)
            .Select(connection => Text(connection.Stored, "id")!)
            .ToHashSet(StringComparer.Ordinal);
        var number = 0;
        writer.WriteStartArray("edges"u8);
        foreach (var connection in graph.Connections)
        {
            if (!connection.IsChanged)
            {
                connection.Stored.WriteTo(writer);
                continue;
            }

            string? id = null;
            if (connection.Stored.ValueKind == JsonValueKind.Object)
                id = Text(connection.Stored, "id");
            while (id is null || (connection.Stored.ValueKind != JsonValueKind.Object && !taken.Add(id)))
                id = string.Create(CultureInfo.InvariantCulture, $"e{++number}");
            WriteEdge(writer, id, connection, graph, connectors);
        }

        writer.WriteEndArray();
    }

    private static void WriteEdge(Utf8JsonWriter writer, string id, Connection connection, BlockGraph graph, ConnectorSet connectors)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("sourceNodeId"u8, connection.Source);
        if (connection.Handle is not null)
            writer.WriteString("sourceOutput"u8, connection.Handle);
        writer.WriteString("targetNodeId"u8, connection.Target);
        if (connection.Stored.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in connection.Stored.EnumerateObject())
            {
                if (member.Name is not ("id" or "sourceNodeId" or "sourceOutput" or "targetNodeId" or "label" or "triggerRule"))
                    member.WriteTo(writer);
            }
        }

        WriteText(writer, "label", connection.Condition);

        // Blocks go on when one connection is live; a failure is followed where the handle says so.
        if (connection.Handle == BlockTypes.ErrorHandle && IsBlock(graph, connection.Source, connectors))
            writer.WriteString("triggerRule"u8, "any_failed"u8);
        else if (IsBlock(graph, connection.Target, connectors))
            writer.WriteString("triggerRule"u8, "any_success"u8);
        writer.WriteEndObject();
    }

    private static bool IsBlock(BlockGraph graph, string id, ConnectorSet connectors) => graph.TryGet(id, out var block) && connectors.IsBlock(block.Type);

    private static void WriteVariables(Utf8JsonWriter writer, JsonElement variables)
    {
        writer.WriteStartArray("variables"u8);
        foreach (var variable in variables.EnumerateObject())
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, variable.Name);
            writer.WriteString("type"u8, variable.Value.ValueKind switch
            {
                JsonValueKind.String => "string",
                JsonValueKind.Number => "number",
                JsonValueKind.True or JsonValueKind.False => "boolean",
                JsonValueKind.Array => "array",
                _ => "object",
            });
            writer.WritePropertyName("defaultValue"u8);
            variable.Value.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteGroups(Utf8JsonWriter writer, JsonElement groups, HashSet<string> removed)
    {
        writer.WriteStartArray("groups"u8);
        foreach (var group in groups.EnumerateArray())
        {
            writer.WriteStartObject();
            foreach (var member in group.EnumerateObject())
            {
                if (member.Name == "nodeIds")
                    WriteList(writer, member, nodeId => nodeId.ValueKind != JsonValueKind.String || !removed.Contains(nodeId.GetString()!));
                else
                    member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteList(Utf8JsonWriter writer, JsonProperty list, Func<JsonElement, bool> isKept)
    {
        writer.WriteStartArray(list.Name);
        foreach (var item in list.Value.EnumerateArray().Where(isKept))
            item.WriteTo(writer);
        writer.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
            writer.WriteString(name, text);
    }

    private static JsonElement VariablesOf(JsonElement definition)
    {
        var variables = Items(definition, "variables")
            .Where(variable => variable.TryGetProperty("defaultValue", out _))
            .Select(variable => (Text(variable, "name")!, variable.GetProperty("defaultValue")))
            .ToList();
        return variables.Count == 0 ? default : JsonObjects.Of(variables);
    }

    private static bool IsPlaceholder(JsonElement definition, JsonElement node) =>
        BlockTypes.IsPlaceholder(Text(node, "id")!, Text(node, "typeId")!) && Items(definition, "nodes").Count() == 1;

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double Number(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;
}
