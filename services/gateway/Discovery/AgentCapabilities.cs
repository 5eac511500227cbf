using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>Families about agents, conversations and runs within runs: each follows from the node types that the engine has (spec/agents.md 1).</summary>
internal static class AgentCapabilities
{
    private const int SummaryTokenLimit = 512;

    /// <param name="executes">Whether the engine has a node type.</param>
    public static void Add(Dictionary<string, JsonNode> families, Func<string, bool> executes)
    {
        var (orchestrates, dispatches, mocks) = (executes("core.orchestrator.supervisor"), executes("core.dispatch"), executes("core.conformance.mock-agent"));
        if (orchestrates || dispatches || mocks)
        {
            families["agents"] = new JsonObject
            {
                ["supported"] = true,
                ["orchestrator"] = orchestrates,
                ["dispatch"] = dispatches,
                ["dispatchMapping"] = dispatches,
                ["reasoning"] = new JsonObject { ["verbosity"] = "summary", ["tokenLimit"] = SummaryTokenLimit, ["streaming"] = true },
            };
        }

        if (mocks)
            families["conformance"] = new JsonObject { ["mockAgent"] = true };

        if (executes("core.conversationGate"))
            families["conversationPrimitive"] = true;

        if (executes("core.subWorkflow"))
            families["subWorkflow"] = new JsonObject { ["inputMapping"] = true };
    }

    /// <summary>
    /// Whether a seeded workflow needs something besides its node types that is not there: its <c>metadata</c> names a capability, an
    /// installed pack or an agent of the workspace.
    /// </summary>
    public static bool LacksSomething(JsonElement definition, Dictionary<string, JsonNode> families)
    {
        if (!definition.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
            return false;

        return metadata.TryGetProperty("requiresInstalledPack", out _)
            || metadata.TryGetProperty("requiresWorkspaceAgent", out _)
            || (metadata.TryGetProperty("requiresCapability", out var capability) && capability.ValueKind == JsonValueKind.String && !IsAdvertised(capability.GetString()!, families));
    }

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
