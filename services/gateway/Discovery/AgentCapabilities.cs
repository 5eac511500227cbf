using System.Text.Json.Nodes;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>Families about agents, conversations and runs within runs: each follows from the node types that the engine has (spec/agents.md 1).</summary>
internal static class AgentCapabilities
{
    private const int SummaryTokenLimit = 512;

    /// <param name="executes">Whether the engine has a node type.</param>
    /// <param name="maxMemoryEntryBytes">Largest entry of a memory; 0 = the engine has no memory.</param>
    public static void Add(Dictionary<string, JsonNode> families, Func<string, bool> executes, int maxMemoryEntryBytes)
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

        if (maxMemoryEntryBytes > 0)
        {
            (families["agents"] = families.GetValueOrDefault("agents") ?? new JsonObject())["memoryBackends"] = new JsonArray("long-term");
            families["memory"] = new JsonObject
            {
                ["supported"] = true,
                ["maxEntrySizeBytes"] = maxMemoryEntryBytes,
                ["ttlSupported"] = true,
                ["attribution"] = new JsonObject { ["supported"] = true, ["emitsWriteEvents"] = true },
            };
        }

        if (mocks)
            families["conformance"] = new JsonObject { ["mockAgent"] = true };

        if (executes("core.conversationGate"))
            families["conversationPrimitive"] = true;

        if (executes("core.subWorkflow"))
            families["subWorkflow"] = new JsonObject { ["inputMapping"] = true };
    }
}
