namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary>
/// Where behavior exists that only tests of the protocol need: in workflows whose ids begin with <c>conformance-</c> or
/// <c>openwop-smoke-</c>, and nowhere else.
/// </summary>
internal static class TestWorkflows
{
    public static bool Includes(string workflowId) =>
        workflowId.StartsWith("conformance-", StringComparison.Ordinal) || workflowId.StartsWith("openwop-smoke-", StringComparison.Ordinal);

    /// <summary>Why a node type refuses to run elsewhere.</summary>
    public static NodeOutcome.Failed Refusal(NodeContext context) => new(new NodeError(
        "capability_required",
        $"Node type '{context.Node.TypeId}' only runs in workflows of the conformance tests."));
}
