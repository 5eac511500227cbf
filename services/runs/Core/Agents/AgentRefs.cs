using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>References to agents as they are shown (spec/agents.md 2).</summary>
internal static class AgentRefs
{
    private static readonly string[] Members = ["agentId", "name", "modelClass", "memoryRef", "version", "sourceManifestId"];

    /// <summary>The reference that a node pins, without members that this server cannot stand for; null when it pins none.</summary>
    public static JsonElement? Of(JsonElement? pinned) => pinned is { } agent && agent.StringMember("agentId") is { Length: >= 3 and <= 256 }
        ? JsonValues.Object(writer =>
        {
            foreach (var name in Members)
            {
                if (agent.StringMember(name) is { } value)
                    writer.WriteString(name, value);
            }
        })
        : null;
}
