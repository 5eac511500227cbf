using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions;

namespace OpenWop.Micro.Runs.Nodes.Data;

/// <summary>
/// <c>core.transform</c>: computes its outputs. <c>expression</c> gives the port <c>output</c>, each member of <c>mapping</c>
/// the port of its name. All values together are bounded like the result of one expression.
/// </summary>
internal sealed class TransformNode : INodeHandler
{
    /// <summary>Most members of a mapping: each has a budget of its own.</summary>
    private const int MaxMappings = 64;

    public string TypeId => "core.transform";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var expressions = ExpressionsOf(parameters);
        if (parameters.HasFailed(out var invalid))
        {
            return ValueTask.FromResult(invalid);
        }

        var scope = NodeExpressions.Scope(context);
        var outputs = new List<KeyValuePair<string, JsonElement>>(expressions.Count);
        var bytesLeft = ExpressionLimits.Default.MaxResultBytes;
        foreach (var (port, text) in expressions)
        {
            var value = NodeExpressions.Evaluate(
                text,
                scope,
                $"port '{port}' of node '{context.Node.Id}'",
                ExpressionLimits.Default with { MaxResultBytes = bytesLeft },
                out var error);
            if (value is null)
            {
                return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Failed(error!));
            }

            bytesLeft -= JsonMarshal.GetRawUtf8Value(value.Value).Length;
            outputs.Add(KeyValuePair.Create(port, value.Value));
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeOutcome.Completed(NodeJson.Object(outputs)));
    }

    private static List<KeyValuePair<string, string>> ExpressionsOf(NodeParameters parameters)
    {
        var expressions = new List<KeyValuePair<string, string>>();
        if (parameters.ConfigString("expression") is { } single)
        {
            expressions.Add(KeyValuePair.Create("output", single));
        }

        switch (parameters.FindConfig("mapping"))
        {
            case null:
                if (expressions.Count == 0)
                {
                    parameters.Reject("expression", "or 'mapping' must be given");
                }

                break;
            case { ValueKind: JsonValueKind.Object } mapping when mapping.GetPropertyCount() <= MaxMappings:
                foreach (var member in mapping.EnumerateObject())
                {
                    if (member.Value.ValueKind != JsonValueKind.String || expressions.Exists(expression => expression.Key == member.Name))
                    {
                        parameters.Reject("mapping", $"must have one expression for '{member.Name}'");
                        break;
                    }

                    expressions.Add(KeyValuePair.Create(member.Name, member.Value.GetString()!));
                }

                break;
            default:
                parameters.Reject("mapping", $"must be an object with up to {MaxMappings} expressions");
                break;
        }

        return expressions;
    }
}
