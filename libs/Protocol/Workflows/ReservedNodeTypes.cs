using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>Node types that the protocol reserves (spec/runs-streams-replay.md 1.2), with the capability that gates them.</summary>
public static class ReservedNodeTypes
{
    /// <summary>Reserved type ids; the value is the capability that must be advertised before the type may run, or null.</summary>
    private static readonly FrozenDictionary<string, string?> Table = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["core.start"] = null,
        ["core.end"] = null,
        ["core.conditional"] = null,
        ["core.delay"] = null,
        ["core.loop"] = null,
        ["core.parallel"] = null,
        ["core.merge"] = null,
        ["core.setVariable"] = null,
        ["core.getVariable"] = null,
        ["core.interrupt"] = null,
        ["core.subWorkflow"] = null,
        ["core.channelWrite"] = null,
        ["core.identity"] = null,
        ["core.orchestrator.supervisor"] = "orchestrator.supported",
        ["core.dispatch"] = "dispatch.supported",
        ["core.conversationGate"] = "conversationPrimitive",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> All => Table.Keys;

    /// <summary>Types that must be registered before conformance can be claimed.</summary>
    public static IEnumerable<string> Baseline => Table.Where(entry => entry.Value is null).Select(entry => entry.Key);

    public static bool IsReserved(string typeId) => Table.ContainsKey(typeId);

    /// <summary>
    /// The capability that <c>capability_required</c> names for a type which a server does not have: the one that gates it, or the
    /// type id itself.
    /// </summary>
    public static string RequiredCapability(string typeId) => Table.GetValueOrDefault(typeId) ?? typeId;
}
