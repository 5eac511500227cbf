namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary><c>conformance.requiresMissing</c>: needs what no server has, so that it is refused before it starts.</summary>
internal sealed class RequiresMissingNode : INodeHandler
{
    public string TypeId => "conformance.requiresMissing";

    public bool IsPure => true;

    public IReadOnlyList<string> Requires { get; } = ["conformance.never-provided"];

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError("capability_not_provided", $"'{Requires[0]}' is not provided.")));
}
