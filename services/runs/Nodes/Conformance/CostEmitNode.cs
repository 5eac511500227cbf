using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary><c>conformance.cost.emit</c>: reports the cost attributes of its config, of which only the listed ones count.</summary>
internal sealed class CostEmitNode : INodeHandler
{
    public string TypeId => "conformance.cost.emit";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        if (context.Node.Config.Member("attrs") is { } attributes)
            context.AddCost(Cost.Of(attributes));
        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.EmptyObject));
    }
}
