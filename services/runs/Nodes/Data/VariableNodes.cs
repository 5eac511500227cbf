namespace OpenWop.Micro.Runs.Nodes.Data;

/// <summary>
/// <c>core.setVariable</c>: sets the variable <c>name</c> (or <c>variableName</c>) to <c>value</c>, or every member of
/// <c>variables</c>. The values set are its outputs by variable name; a single one is repeated as <c>output</c>.
/// </summary>
internal sealed class SetVariableNode : INodeHandler
{
    public string TypeId => "core.setVariable";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var name = parameters.String("name", "variableName");
        var map = parameters.Object("variables");
        var value = parameters.FindGiven("value");
        var writes = map is null ? [] : map.Value.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value)).ToList();
        if (name is not null)
        {
            if (value is null)
            {
                parameters.Reject("value", "must be given, as input port or config member");
            }
            else
            {
                writes.Add(KeyValuePair.Create(name, value.Value));
            }
        }
        else if (map is null)
        {
            parameters.Reject("name", "or 'variables' must be given");
        }

        if (writes.Any(write => write.Key.Length is 0 or > VariableNames.MaxLength))
        {
            parameters.Reject("name", $"must be 1 to {VariableNames.MaxLength} characters long");
        }

        if (parameters.HasFailed(out var failed))
        {
            return ValueTask.FromResult(failed);
        }

        foreach (var (variable, written) in writes)
        {
            context.SetVariable(variable, written);
        }

        if (writes.Count == 1 && writes[0].Key != "output")
        {
            writes.Add(KeyValuePair.Create("output", writes[0].Value));
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.Object(writes)));
    }
}

/// <summary>
/// <c>core.getVariable</c>: reads the variable <c>name</c> (or <c>variableName</c>) into the outputs <c>value</c> and
/// <c>output</c>. A variable that is not set yields <c>default</c>, or <c>variable_not_found</c> when none is given.
/// </summary>
internal sealed class GetVariableNode : INodeHandler
{
    public string TypeId => "core.getVariable";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var name = parameters.RequiredString("name", "variableName");
        if (parameters.HasFailed(out var invalid))
        {
            return ValueTask.FromResult(invalid);
        }

        if (!context.Variables.TryGetValue(name, out var value))
        {
            if (parameters.FindGiven("default") is not { } fallback)
            {
                return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(new NodeError(
                    "variable_not_found",
                    $"The variable '{name}' is not set.",
                    Retryable: false,
                    NodeJson.Object(writer => writer.WriteString("variable", name)))));
            }

            value = fallback;
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(
            NodeJson.Object([KeyValuePair.Create("value", value), KeyValuePair.Create("output", value)])));
    }
}

/// <summary>Limits of variable names.</summary>
internal static class VariableNames
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxLength = 256;
}
