using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>
/// Which of the seeded workflows can do what they are for. Others exist, but a run of them would be refused, or come to nothing: a node
/// type that is not registered, something that the definition's <c>metadata</c> asks for, or what the config of a node is about.
/// </summary>
internal static class SeededWorkflows
{
    private const string McpToolCall = "core.mcp.toolCall";

    /// <summary>Members of a node's config that make it a node of a family, whatever its type, and that family.</summary>
    private static readonly (string Member, string Family)[] AboutFamilies =
    [
        ("memoryAction", "memory.supported"),
        ("byokSecretId", "secrets.supported"),
    ];

    /// <param name="registered">Node types that the engine has.</param>
    /// <param name="families">What is advertised.</param>
    public static bool IsExecutable(JsonElement definition, FrozenSet<string> registered, Dictionary<string, JsonNode> families) =>
        definition.GetProperty("nodes").EnumerateArray().All(node => IsExecutableNode(node, registered, families)) && !LacksSomething(definition, families);

    private static bool IsExecutableNode(JsonElement node, FrozenSet<string> registered, Dictionary<string, JsonNode> families)
    {
        if (!registered.Contains(node.GetProperty("typeId").GetString()!))
            return false;

        // An agent of a deployment channel.
        if (node.TryGetProperty("agent", out var agent) && agent.ValueKind == JsonValueKind.Object && agent.TryGetProperty("channel", out _) && !IsAdvertised("agents.deployment.supported", families))
            return false;

        if (!node.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object)
            return true;

        return (registered.Contains(McpToolCall) || !config.TryGetProperty("mcp", out _))
            && AboutFamilies.All(about => !config.TryGetProperty(about.Member, out _) || IsAdvertised(about.Family, families));
    }

    /// <summary>Whether <c>metadata</c> names a capability, an installed pack or an agent of the workspace that is not there.</summary>
    private static bool LacksSomething(JsonElement definition, Dictionary<string, JsonNode> families)
    {
        if (!definition.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
            return false;

        return (IsAbout(metadata, "multi-agent-execution") && !IsAdvertised("multiAgent.executionModel.supported", families))
            || metadata.TryGetProperty("requiresInstalledPack", out _)
            || metadata.TryGetProperty("requiresWorkspaceAgent", out _)
            || (metadata.TryGetProperty("requiresCapability", out var capability) && capability.ValueKind == JsonValueKind.String && !IsAdvertised(capability.GetString()!, families));
    }

    private static bool IsAbout(JsonElement metadata, string tag) =>
        metadata.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array && tags.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.ValueEquals(tag));

    /// <summary><c>capabilities.agents.dispatch</c> is the member <c>dispatch</c> of the family <c>agents</c>.</summary>
    private static bool IsAdvertised(string path, Dictionary<string, JsonNode> families)
    {
        var names = path.Split('.');
        names = names[0] == "capabilities" ? names[1..] : names;
        var node = names.Length == 0 ? null : families.GetValueOrDefault(names[0]);
        foreach (var name in names.Skip(1))
            node = (node as JsonObject)?[name];

        return node?.GetValueKind() == JsonValueKind.True;
    }
}
