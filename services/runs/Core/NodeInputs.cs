using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Resolves the input ports of a node (spec/runs-streams-replay.md 1.2). Ports that the node declares come first; a port
/// that only edges lead into gets the output named by the edge, or, when several live edges lead into it, an object of them
/// by source node. A reference that is not optional and cannot be resolved is an error.
/// </summary>
internal static class NodeInputs
{
    private const string DefaultPort = "input";

    public static (ImmutableSortedDictionary<string, JsonElement> Inputs, NodeError? Error) Resolve(RunState state, GraphNode node)
    {
        var inputs = RunState.EmptyValues.ToBuilder();
        foreach (var (port, value) in node.Definition.Inputs)
        {
            var (resolved, error) = ResolvePort(state, port, value);
            if (error is not null)
            {
                return (RunState.EmptyValues, error);
            }

            if (resolved is { } element)
            {
                inputs[port] = element;
            }
        }

        // Blocks refer to what they need.
        if (!node.IsBlock)
        {
            AddEdgeValues(state, node, inputs);
        }

        return (inputs.ToImmutable(), null);
    }

    private static (JsonElement? Value, NodeError? Error) ResolvePort(RunState state, string port, PortValue value)
    {
        switch (value)
        {
            case PortValue.Static literal:
                return (literal.Value, null);
            case PortValue.Variable variable:
                return state.Variables.TryGetValue(variable.VariableName, out var found)
                    ? (found, null)
                    : Missing(port, variable.Optional, $"variable '{variable.VariableName}' is not set");
            case PortValue.Connection connection:
                return OutputOf(state, connection.NodeId, connection.OutputKey) is { } output
                    ? (output, null)
                    : Missing(port, connection.Optional, $"node '{connection.NodeId}' has no output '{connection.OutputKey}'");
            case PortValue.Expression expression:
                return Conditions.EvaluateExpression(state, expression.Text, $"input '{port}'");
            default:
                throw new ArgumentOutOfRangeException(nameof(value));
        }
    }

    private static (JsonElement?, NodeError?) Missing(string port, bool optional, string reason) =>
        optional ? (null, null) : (null, new NodeError("input_unresolved", $"Input '{port}' cannot be resolved: {reason}."));

    private static JsonElement? OutputOf(RunState state, string nodeId, string key) =>
        state.Nodes.TryGetValue(nodeId, out var source) && source.Status == NodeStatus.Completed ? OutputOf(source, key) : null;

    /// <summary>An output port; <c>output</c> of a node that has no port of that name is all its outputs.</summary>
    private static JsonElement? OutputOf(NodeState source, string key) =>
        source.Outputs.Member(key) ?? (key == "output" && source.Outputs.IsDefined() ? source.Outputs : null);

    /// <summary>
    /// Values that arrive over edges. The default port is filled only for nodes that declare no ports: who names its inputs gets
    /// those and no more.
    /// </summary>
    private static void AddEdgeValues(RunState state, GraphNode node, ImmutableSortedDictionary<string, JsonElement>.Builder inputs)
    {
        Dictionary<string, List<(string NodeId, JsonElement Value)>>? byPort = null;
        foreach (var edge in node.Incoming)
        {
            if (!inputs.ContainsKey(edge.Definition.TargetInput)
                && (node.Definition.Inputs.IsEmpty || edge.Definition.TargetInput != DefaultPort)
                && state.Nodes.TryGetValue(edge.Source.Id, out var source)
                && source.Status == NodeStatus.Completed
                && EdgeRules.IsLive(state, edge) is { Live: true }
                && OutputOf(source, edge.Definition.SourceOutput) is { } value)
            {
                byPort ??= new(StringComparer.Ordinal);
                if (!byPort.TryGetValue(edge.Definition.TargetInput, out var values))
                {
                    byPort[edge.Definition.TargetInput] = values = [];
                }

                values.Add((edge.Source.Id, value));
            }
        }

        foreach (var (port, values) in byPort ?? [])
        {
            inputs[port] = values.Count == 1 ? values[0].Value : JsonValues.Object(writer =>
            {
                foreach (var (nodeId, value) in values.DistinctBy(item => item.NodeId))
                {
                    writer.WritePropertyName(nodeId);
                    value.WriteTo(writer);
                }
            });
        }
    }
}
