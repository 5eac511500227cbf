using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Activities;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Everything one attempt of a node may see and ask for.</summary>
public sealed partial class NodeContext
{
    private readonly List<VariableWrite> variableWrites = [];
    private readonly List<LogLine> logLines = [];
    private ImmutableSortedDictionary<string, JsonElement>? nodeOutputs;
    private WorkflowNode node = null!;

    public required string Tenant { get; init; }
    public required string RunId { get; init; }
    public required string WorkflowId { get; init; }

    /// <summary>The node; of a block with the references in its parameters replaced.</summary>
    public required WorkflowNode Node { get => node; init => node = value; }

    /// <summary>The names by which blocks refer to nodes; null for nodes that are no blocks.</summary>
    internal Lazy<BlockNames>? Blocks { get; init; }

    /// <summary>Attempt, counted from 0.</summary>
    public required int Attempt { get; init; }

    /// <summary>Which execution of this node in the run this is, counted from 0; grows with every loop iteration.</summary>
    public required int Iteration { get; init; }

    /// <summary>Time of the event that started the attempt.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Resolved input ports.</summary>
    public required ImmutableSortedDictionary<string, JsonElement> Inputs { get; init; }

    /// <summary>Inputs of the run.</summary>
    public required JsonElement RunInputs { get; init; }

    /// <summary>Variables as they were when the attempt started, unmasked.</summary>
    public required ImmutableSortedDictionary<string, JsonElement> Variables { get; init; }

    /// <summary>Outputs of completed nodes by node id, unmasked.</summary>
    public ImmutableSortedDictionary<string, JsonElement> NodeOutputs
    {
        get => nodeOutputs ??= LoadNodeOutputs?.Invoke() ?? ImmutableSortedDictionary<string, JsonElement>.Empty;
        init => nodeOutputs = value;
    }

    /// <summary>Collects <see cref="NodeOutputs"/> when they are first asked for: most nodes never do.</summary>
    internal Func<ImmutableSortedDictionary<string, JsonElement>>? LoadNodeOutputs { get; init; }

    /// <summary>Run option <c>configurable</c>, verbatim; an empty object when absent.</summary>
    public required JsonElement Configurable { get; init; }

    /// <summary>State kept by the previous iteration of a loop head; null = first.</summary>
    public JsonElement? LoopState { get; init; }

    /// <summary>Answers to the interrupts of this execution, by key.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Resolved { get; init; } = ImmutableSortedDictionary<string, JsonElement>.Empty;

    /// <summary>
    /// Key of the n-th interrupt of this execution. It does not hold the run id, so that a fork finds the answers of its source.
    /// </summary>
    public string InterruptKey(int number) => $"{Node.Id}:{Iteration}:{number}";

    /// <summary>Runs outside effects at most once; null for pure handlers.</summary>
    public IActivityLedger? Activities { get; internal set; }

    public IReadOnlyList<VariableWrite> VariableWrites => variableWrites;

    public IReadOnlyList<LogLine> LogLines => logLines;

    /// <summary>Puts other parameters in the place of the node's own.</summary>
    internal void ReplaceConfig(JsonElement config) => node = node with { Config = config };

    /// <summary>Sets a variable when the attempt completes; discarded when it fails.</summary>
    /// <param name="isSensitive">True masks it outside from now on; one that is masked already stays masked.</param>
    public void SetVariable(string name, JsonElement value, bool isSensitive = false) => variableWrites.Add(new VariableWrite(name, value, isSensitive));

    /// <summary>The value of a variable as it will be once the attempt's own writes count.</summary>
    public bool TryGetVariable(string name, out JsonElement value, out bool isSensitive)
    {
        isSensitive = SensitiveVariables.Contains(name);
        if (variableWrites.FindLast(write => write.Name == name) is not { } written)
            return Variables.TryGetValue(name, out value);

        (value, isSensitive) = (written.Value, isSensitive || written.IsSensitive);
        return true;
    }

    /// <summary>Appends a line to the run's log (<c>log.appended</c>) when the attempt ends, however it ends.</summary>
    /// <param name="level">debug, info, warn or error.</param>
    public void Log(string level, string message, JsonElement? fields = null) => logLines.Add(new LogLine(level, message, fields));
}

/// <summary>A variable set by a node.</summary>
public sealed record VariableWrite(string Name, JsonElement Value, bool IsSensitive = false);

/// <summary>A line logged by a node.</summary>
public sealed record LogLine(string Level, string Message, JsonElement? Fields);
