using System.Text.Json;
using OpenWop.Micro.Runs.Nodes.Flow;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>The config of <c>core.dispatch</c> (spec/agents.md 5).</summary>
internal sealed class DispatchConfig
{
    private readonly Dictionary<string, VariableMapping> workerInputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VariableMapping> workerOutputs = new(StringComparer.Ordinal);
    private VariableMapping inputs = VariableMapping.None;
    private VariableMapping outputs = VariableMapping.None;

    /// <summary>True when a decision for several workers is refused.</summary>
    public bool RejectsFanOut { get; private init; }

    /// <summary>How often the node may dispatch; null = as often as the run allows.</summary>
    public long? IterationCap { get; private init; }

    /// <summary>True when questions to the user are clarifications, not conversations.</summary>
    public bool AsksClarification { get; private init; }

    public static DispatchConfig Read(NodeParameters parameters)
    {
        RequireOneOf(parameters, "workerDispatchModel", "child-run");
        RequireOneOf(parameters, "askUserRouting", "auto", "conversation", "clarification");
        RequireOneOf(parameters, "fanOutPolicy", "sequential", "reject");
        var config = new DispatchConfig
        {
            RejectsFanOut = parameters.ConfigString("fanOutPolicy") == "reject",
            AsksClarification = parameters.ConfigString("askUserRouting") == "clarification",
            IterationCap = parameters.FindConfig("iterationCap") is null ? null : parameters.Integer("iterationCap", 1, int.MaxValue, 1),
            inputs = VariableMapping.Read(parameters, "inputMapping"),
            outputs = VariableMapping.Read(parameters, "outputMapping"),
        };
        ReadPerWorker(parameters, "perWorkerInputMappings", config.workerInputs);
        ReadPerWorker(parameters, "perWorkerOutputMappings", config.workerOutputs);
        return config;
    }

    /// <summary>The worker's own mapping, which replaces the one for all.</summary>
    public VariableMapping InputsOf(string workflowId) => workerInputs.GetValueOrDefault(workflowId) ?? inputs;

    /// <summary>The worker's own mapping, which replaces the one for all.</summary>
    public VariableMapping OutputsOf(string workflowId) => workerOutputs.GetValueOrDefault(workflowId) ?? outputs;

    private static void ReadPerWorker(NodeParameters parameters, string name, Dictionary<string, VariableMapping> mappings)
    {
        switch (parameters.FindConfig(name))
        {
            case null:
                break;
            case { ValueKind: JsonValueKind.Object } workers:
                foreach (var worker in workers.EnumerateObject())
                    mappings[worker.Name] = VariableMapping.Read(parameters, $"{name}.{worker.Name}", worker.Value);

                break;
            default:
                parameters.Reject(name, "must be an object of mappings by workflow id");
                break;
        }
    }

    private static void RequireOneOf(NodeParameters parameters, string name, params ReadOnlySpan<string> words)
    {
        if (parameters.ConfigString(name) is { } given && !words.Contains(given))
            parameters.Reject(name, $"must be one of {string.Join(", ", words!)}");
    }
}
