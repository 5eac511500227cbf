using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using OpenWop.Micro.Contracts.Workflows.V1;

namespace OpenWop.Micro.Gateway.Mcp;

/// <summary>A workflow as a tool: its variables are the arguments.</summary>
internal static class WorkflowTool
{
    public static Tool Of(Definition definition)
    {
        var json = JsonElement.Parse(definition.Json.Span);
        return new Tool
        {
            Name = definition.WorkflowId,
            Title = Text(json, "name"),
            Description = Text(json, "description") ?? Text(json, "name"),
            InputSchema = JsonElement.Parse(SchemaOf(json).ToJsonString()),
        };
    }

    /// <summary>What else a caller may send is for the engine to judge.</summary>
    private static JsonObject SchemaOf(JsonElement definition)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        if (definition.TryGetProperty("variables", out var variables) && variables.ValueKind == JsonValueKind.Array)
        {
            foreach (var variable in variables.EnumerateArray())
            {
                if (Text(variable, "name") is not { } name)
                    continue;

                properties[name] = PropertyOf(variable);
                if (variable.TryGetProperty("required", out var isRequired) && isRequired.ValueKind == JsonValueKind.True && !variable.TryGetProperty("defaultValue", out _))
                    required.Add(name);
            }
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0)
            schema["required"] = required;

        return schema;
    }

    private static JsonObject PropertyOf(JsonElement variable)
    {
        var property = new JsonObject();
        if (Text(variable, "type") is "string" or "number" or "integer" or "boolean" or "object" or "array")
            property["type"] = Text(variable, "type");

        if (Text(variable, "description") is { } description)
            property["description"] = description;

        return property;
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
