using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.TestSeams;

/// <summary>
/// A workflow as tests of the protocol write it down: <c>{workflowId, nodes: [{nodeId, typeId, config}]}</c>, and optionally <c>edges</c>,
/// without which the nodes follow one another, and <c>variables</c>.
/// </summary>
internal static class SampleWorkflow
{
    /// <summary>Members of a config that take a capability, by node type.</summary>
    private static readonly (string TypeId, string Member, string Capability)[] Mappings =
    [
        ("core.subWorkflow", "inputMapping", "subWorkflow.inputMapping"),
        ("core.dispatch", "inputMapping", "agents.dispatchMapping"),
        ("core.dispatch", "outputMapping", "agents.dispatchMapping"),
        ("core.dispatch", "perWorkerInputMappings", "agents.dispatchMapping"),
        ("core.dispatch", "perWorkerOutputMappings", "agents.dispatchMapping"),
    ];

    /// <summary>Id and full definition. What the definition cannot be is for the service that stores it to say.</summary>
    /// <exception cref="ProtocolException">The body makes no sense, or needs a capability that is switched off.</exception>
    public static (string WorkflowId, JsonObject Definition) Read(JsonElement body, Func<string, bool> isOff)
    {
        var workflowId = Text(body, "workflowId");
        if (!body.TryGetProperty("nodes", out var listed) || listed.ValueKind != JsonValueKind.Array)
            throw Invalid("nodes");

        var nodes = new JsonArray();
        foreach (var node in listed.EnumerateArray())
        {
            Require(node, isOff);
            nodes.Add(NodeOf(node));
        }

        return (workflowId, new JsonObject
        {
            ["id"] = workflowId,
            ["name"] = workflowId,
            ["version"] = "1.0",
            ["nodes"] = nodes,
            ["edges"] = body.TryGetProperty("edges", out var edges) ? JsonNode.Parse(edges.GetRawText()) : Chain(nodes),
            ["triggers"] = new JsonArray(new JsonObject { ["id"] = "manual", ["type"] = "manual", ["enabled"] = true }),
            ["variables"] = body.TryGetProperty("variables", out var variables) ? JsonNode.Parse(variables.GetRawText()) : new JsonArray(),
            ["metadata"] = new JsonObject(),
            ["settings"] = new JsonObject(),
        });
    }

    private static void Require(JsonElement node, Func<string, bool> isOff)
    {
        var typeId = Text(node, "typeId");
        if (!node.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object)
            return;

        foreach (var (_, member, capability) in Mappings.Where(mapping => mapping.TypeId == typeId))
        {
            if (config.TryGetProperty(member, out var mapping) && mapping.ValueKind == JsonValueKind.Object && mapping.EnumerateObject().MoveNext() && isOff(capability))
            {
                throw new ProtocolException(new ProtocolError(
                    ErrorCodes.ValidationError, $"'{member}' takes a capability that this server does not provide.", new JsonObject { ["requiredCapability"] = capability }));
            }
        }
    }

    private static JsonObject NodeOf(JsonElement node)
    {
        var nodeId = Text(node, "nodeId");
        return new JsonObject
        {
            ["id"] = nodeId,
            ["typeId"] = Text(node, "typeId"),
            ["name"] = nodeId,
            ["position"] = new JsonObject { ["x"] = 0, ["y"] = 0 },
            ["config"] = node.TryGetProperty("config", out var config) ? JsonNode.Parse(config.GetRawText()) : new JsonObject(),
            ["inputs"] = new JsonObject(),
        };
    }

    private static JsonArray Chain(JsonArray nodes) =>
    [
        .. Enumerable.Range(1, Math.Max(0, nodes.Count - 1)).Select(index => new JsonObject
        {
            ["id"] = $"e{index}",
            ["sourceNodeId"] = (string)nodes[index - 1]!["id"]!,
            ["targetNodeId"] = (string)nodes[index]!["id"]!,
        }),
    ];

    private static string Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 128 } text
            ? text
            : throw Invalid(name);

    private static ProtocolException Invalid(string name) => new(ProtocolError.Validation($"{name} is missing or not what it should be.", name));
}
