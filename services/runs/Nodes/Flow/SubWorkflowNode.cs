namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.subWorkflow</c>: runs the workflow <c>workflowId</c> as a run of its own and, unless <c>waitForCompletion</c> is false,
/// waits for its end (docs/nodes.md).
/// </summary>
internal sealed class SubWorkflowNode : INodeHandler
{
    private const string FailParent = "fail-parent";
    private const string Absorb = "absorb";

    public string TypeId => "core.subWorkflow";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var workflowId = parameters.ConfigString("workflowId");
        var onFailure = parameters.ConfigString("onChildFailure") ?? FailParent;
        var waits = parameters.ConfigBoolean("waitForCompletion", fallback: true);
        var propagates = parameters.ConfigBoolean("propagateCancellation", fallback: true);
        var inputs = VariableMapping.Read(parameters, "inputMapping");
        var outputs = VariableMapping.Read(parameters, "outputMapping");
        if (string.IsNullOrEmpty(workflowId))
            parameters.Reject("workflowId", "must be a non-empty string");

        if (onFailure is not (FailParent or Absorb))
            parameters.Reject("onChildFailure", $"must be {FailParent} or {Absorb}");

        if (parameters.HasFailed(out var invalid))
            return invalid;

        if (context.ChildResults is [var child, ..])
            return Ended(context, child, outputs, onFailure);

        var request = inputs.Seed(context, new ChildRequest(workflowId!) { Harvest = outputs.Sources, Propagates = propagates });
        var start = await context.StartChildAsync(request, cancellationToken);
        return start switch
        {
            { Error: { } error } => new NodeOutcome.Failed(error),
            _ when waits => new NodeOutcome.WaitingForChild(start.RunId!),
            _ => new NodeOutcome.Completed(NodeJson.Object(writer =>
            {
                writer.WriteString("childRunId", start.RunId);
                writer.WriteString("childStatus", "running");
            })),
        };
    }

    private static NodeOutcome Ended(NodeContext context, ChildResult child, VariableMapping outputs, string onFailure)
    {
        if (child.Status == "completed")
            outputs.Harvest(context, child);
        else if (onFailure == FailParent)
            return ChildOutcomes.Failure(child);

        return new NodeOutcome.Completed(ChildOutcomes.Outputs(child));
    }
}
