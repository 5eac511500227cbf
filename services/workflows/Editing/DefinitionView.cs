using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>
/// Blocks and connections as a view of a definition (docs/decisions/0041-control-plane-model.md). What the view does not show, such
/// as conditions of edges or settings of nodes, stays as it was when an edited graph is written back.
/// </summary>
internal static class DefinitionView
{
    private const string DefaultOutput = "output";

    /// <param name="document">A document that has passed validation.</param>
    public static BlockGraph Read(JsonElement document)
    {
        var definition = WorkflowDefinitionReader.Read(document);
        var labels = document.GetProperty("edges").EnumerateArray().Select(edge => edge.TryGetProperty("label", out var label) ? label.GetString()! : "");
        var valued = definition.Variables.Where(variable => variable.DefaultValue is not null).ToList();
        return new BlockGraph
        {
            Name = definition.Name == definition.Id ? null : definition.Name,
            Description = document.TryGetProperty("description", out var description) ? description.GetString() : null,
            Blocks = [.. definition.Nodes.Zip(document.GetProperty("nodes").EnumerateArray(), Block)],
            Connections =
            [
                .. definition.Edges.Zip(labels, (edge, label) => new Connection(
                    edge.SourceNodeId, edge.TargetNodeId, edge.SourceOutput == DefaultOutput ? "" : edge.SourceOutput, label)),
            ],
            Variables = valued.Count == 0
                ? default
                : JsonSerializer.SerializeToElement(valued.ToDictionary(variable => variable.Name, variable => variable.DefaultValue!.Value)),
        };
    }

    /// <summary>The definition of an edited graph.</summary>
    /// <param name="graph">The graph after the operations.</param>
    /// <param name="before">The definition that the graph was read from.</param>
    public static JsonObject Write(BlockGraph graph, JsonElement before)
    {
        var document = JsonObject.Create(before)!.DeepClone().AsObject();
        var id = document["id"]!.GetValue<string>();
        document["name"] = string.IsNullOrEmpty(graph.Name) ? id : graph.Name;
        Set(document, "description", graph.Description);
        document["nodes"] = Nodes(graph, document["nodes"]!.AsArray());
        document["edges"] = Edges(graph, document["edges"]!.AsArray());
        document["variables"] = Variables(graph.Variables, document["variables"]!.AsArray());
        return document;
    }

    private static Block Block(WorkflowNode node, JsonElement document) => new(
        node.Id,
        node.TypeId,
        node.Config.EnumerateObject().ToImmutableSortedDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal))
    {
        Name = node.Name == node.Id ? null : node.Name,
        Enabled = !node.Disabled,
        Position = new BlockPosition(
            document.GetProperty("position").GetProperty("x").GetDouble(), document.GetProperty("position").GetProperty("y").GetDouble()),
    };

    private static JsonArray Nodes(BlockGraph graph, JsonArray before)
    {
        // A block that was deleted and added again with another type is another node.
        var known = before.ToDictionary(node => (Text(node, "id"), Text(node, "typeId")), node => node!.AsObject());
        return new JsonArray([.. graph.Blocks.Select(block =>
        {
            var node = known.TryGetValue((block.Id, block.Type), out var old) ? old.DeepClone().AsObject() : new JsonObject { ["inputs"] = new JsonObject() };
            node["id"] = block.Id;
            node["typeId"] = block.Type;
            node["name"] = string.IsNullOrEmpty(block.Name) ? block.Id : block.Name;
            node["position"] = new JsonObject { ["x"] = block.Position?.X ?? 0, ["y"] = block.Position?.Y ?? 0 };
            node["config"] = new JsonObject(block.Params.Select(param => KeyValuePair.Create(param.Key, Node(param.Value))));
            if (block.Enabled)
                node.Remove("disabled");
            else
                node["disabled"] = true;
            return node;
        })]);
    }

    private static JsonArray Edges(BlockGraph graph, JsonArray before)
    {
        var known = before
            .GroupBy(edge => (Text(edge, "sourceNodeId"), Text(edge, "targetNodeId"), Text(edge, "sourceOutput") ?? DefaultOutput))
            .ToDictionary(group => group.Key, group => new Queue<JsonNode?>(group));
        var taken = before.Select(edge => Text(edge, "id")).ToHashSet(StringComparer.Ordinal);
        var next = 1;
        return new JsonArray([.. graph.Connections.Select(connection =>
        {
            var output = connection.Handle.Length == 0 ? DefaultOutput : connection.Handle;
            if (known.TryGetValue((connection.Source, connection.Target, output), out var same) && same.TryDequeue(out var old))
            {
                var kept = old!.DeepClone().AsObject();
                Set(kept, "label", connection.Condition.Length == 0 ? null : connection.Condition);
                return kept;
            }

            while (!taken.Add($"e{next}"))
                next++;
            var edge = new JsonObject { ["id"] = $"e{next}", ["sourceNodeId"] = connection.Source, ["targetNodeId"] = connection.Target };
            Set(edge, "sourceOutput", output == DefaultOutput ? null : output);
            Set(edge, "label", connection.Condition.Length == 0 ? null : connection.Condition);
            return edge;
        })]);
    }

    private static JsonArray Variables(JsonElement values, JsonArray before)
    {
        // Variables without a value are no business of the view and stay.
        var kept = before.Where(variable => variable!["defaultValue"] is null).ToDictionary(variable => Text(variable, "name")!, variable => variable!);
        var known = before.ToDictionary(variable => Text(variable, "name")!, variable => variable!.AsObject());
        var set = values.ValueKind != JsonValueKind.Object ? [] : values.EnumerateObject().Select(member =>
        {
            kept.Remove(member.Name);
            var variable = known.TryGetValue(member.Name, out var old) ? old.DeepClone().AsObject() : new JsonObject { ["name"] = member.Name };
            variable["type"] = TypeOf(member.Value);
            variable["defaultValue"] = Node(member.Value);
            return (JsonNode)variable;
        }).ToList();
        return new JsonArray([.. kept.Values.Select(variable => variable.DeepClone()), .. set]);
    }

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Array => "array",
        _ => "object",
    };

    private static JsonNode? Node(JsonElement value) => JsonSerializer.SerializeToNode(value);

    private static string? Text(JsonNode? owner, string member) => owner?[member]?.GetValue<string>();

    private static void Set(JsonObject owner, string member, string? value)
    {
        if (value is null)
            owner.Remove(member);
        else
            owner[member] = value;
    }
}
