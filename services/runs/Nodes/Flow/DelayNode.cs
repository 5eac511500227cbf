using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.delay</c>: waits. The duration is the first of <c>delayMs</c>, <c>ms</c>, <c>durationMs</c> (milliseconds) and
/// <c>delaySeconds</c> that is found in the input ports, else in the config, else among the run's variables, else among the
/// run's inputs; none = 0. Bounded to 0..365 days.
/// </summary>
/// <remarks>
/// The node does not wait itself: it names the time, the engine's timer completes it, and a restart does not start the wait
/// over (spec/conformance.md 5).
/// </remarks>
internal sealed class DelayNode : INodeHandler
{
    private static readonly (string Name, int Factor)[] Names = [("delayMs", 1), ("ms", 1), ("durationMs", 1), ("delaySeconds", 1000)];

    public string TypeId => "core.delay";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var (name, given, factor) = Find(context, parameters);
        var milliseconds = 0d;
        if (given is { } value)
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out milliseconds))
            {
                parameters.Reject(name, "must be a number");
            }
            else
            {
                milliseconds *= factor;
            }
        }

        if (milliseconds is < 0 or > WorkflowDefinitionReader.MaxDelayMs)
        {
            parameters.Reject(name, "must be a duration from 0 to 365 days");
        }

        if (parameters.HasFailed(out var failed))
        {
            return ValueTask.FromResult(failed);
        }

        var delay = (long)Math.Round(milliseconds);
        var outputs = NodeJson.Object(writer => writer.WriteNumber("delayedMs", delay));
        return ValueTask.FromResult<NodeOutcome>(delay == 0
            ? new NodeOutcome.Completed(outputs)
            : new NodeOutcome.Delayed(context.Now.AddMilliseconds(delay), outputs));
    }

    private static (string Name, JsonElement? Value, int Factor) Find(NodeContext context, NodeParameters parameters) =>
        FirstOf(parameters.FindPort)
        ?? FirstOf(parameters.FindConfig)
        ?? FirstOf(name => NotNull(context.Variables.TryGetValue(name, out var value) ? value : default))
        ?? FirstOf(name => NotNull(RunInput(context, name)))
        ?? ("delayMs", null, 1);

    private static (string Name, JsonElement? Value, int Factor)? FirstOf(Func<string, JsonElement?> find)
    {
        foreach (var (name, factor) in Names)
        {
            if (find(name) is { } value)
            {
                return (name, value, factor);
            }
        }

        return null;
    }

    private static JsonElement RunInput(NodeContext context, string name) =>
        context.RunInputs.ValueKind == JsonValueKind.Object && context.RunInputs.TryGetProperty(name, out var value) ? value : default;

    private static JsonElement? NotNull(JsonElement value) =>
        value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : value;
}
