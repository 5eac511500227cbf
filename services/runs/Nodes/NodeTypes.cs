using System.Collections.Frozen;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>The node types that this engine can execute.</summary>
public sealed class NodeTypes(IEnumerable<INodeHandler> handlers)
{
    private readonly FrozenDictionary<string, INodeHandler> byTypeId = handlers.ToFrozenDictionary(handler => handler.TypeId, StringComparer.Ordinal);

    /// <summary>All type ids, ordered.</summary>
    public IEnumerable<string> TypeIds => byTypeId.Keys.Order(StringComparer.Ordinal);

    /// <summary>The handler of a type, or null when it is not registered.</summary>
    public INodeHandler? Find(string typeId) => byTypeId.GetValueOrDefault(typeId);
}
