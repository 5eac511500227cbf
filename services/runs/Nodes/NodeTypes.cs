using System.Collections.Frozen;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes.Blocks;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>The node types that this engine can execute, within <see cref="NodeLimits"/>.</summary>
public sealed class NodeTypes(IEnumerable<INodeHandler> handlers)
{
    private readonly FrozenDictionary<string, INodeHandler> byTypeId = handlers.ToFrozenDictionary(
        handler => handler.TypeId,
        INodeHandler (handler) => new Bounded(handler),
        StringComparer.Ordinal);

    /// <summary>All type ids, ordered.</summary>
    public IEnumerable<string> TypeIds => byTypeId.Keys.Order(StringComparer.Ordinal);

    /// <summary>The handler of a type, or null when it is not registered.</summary>
    public INodeHandler? Find(string typeId) => byTypeId.GetValueOrDefault(typeId);

    /// <summary>What executes a node, or null when its type is not registered.</summary>
    public INodeHandler? Find(WorkflowNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return Find(node.TypeId)?.For(node);
    }

    /// <summary>The first capability that a type requires and this host does not provide; null when it lacks nothing.</summary>
    public static string? MissingCapability(INodeHandler handler) => handler.Requires is [var required, ..] ? required : null;

    /// <summary>Keeps what goes into a handler and what comes out of it within the limits.</summary>
    private sealed class Bounded(INodeHandler handler) : INodeHandler
    {
        public string TypeId => handler.TypeId;

        public bool IsPure => handler.IsPure;

        public bool WaitsForOthers => handler.WaitsForOthers;

        public IReadOnlyList<string> Requires => handler.Requires;

        public INodeHandler For(WorkflowNode node) => handler.For(node) is var chosen && chosen == handler ? this : new Bounded(chosen);

        public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) => handler.SecretsOf(node, configurable);

        public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) =>
            (NodeLimits.CheckInputs(context.Inputs) ?? BlockParameters.Resolve(context)) is { } error
                ? new NodeOutcome.Failed(error)
                : NodeLimits.Enforce(await handler.ExecuteAsync(context, cancellationToken), context);
    }
}
