using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// A workflow definition as C# (spec/runs-streams-replay.md 1). Made by <see cref="WorkflowDefinitionReader"/> from a
/// document that has passed validation; the document itself stays the truth and is served verbatim.
/// </summary>
public sealed record WorkflowDefinition
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Version { get; init; }
    public required ImmutableArray<WorkflowNode> Nodes { get; init; }
    public required ImmutableArray<WorkflowEdge> Edges { get; init; }
    public ImmutableArray<WorkflowTrigger> Triggers { get; init; } = [];
    public ImmutableArray<WorkflowVariable> Variables { get; init; } = [];
    public WorkflowSettings Settings { get; init; } = new();

    /// <summary>Declared channels; null when the workflow is not channel-aware.</summary>
    public ImmutableSortedDictionary<string, ChannelDeclaration>? Channels { get; init; }

    /// <summary>JSON Schema 2020-12 of <c>configurable</c>, absent when undefined.</summary>
    public JsonElement? ConfigurableSchema { get; init; }

    /// <summary>The open <c>metadata</c> object.</summary>
    public JsonElement? Metadata { get; init; }
}

/// <summary>A node (spec/runs-streams-replay.md 1.2).</summary>
public sealed record WorkflowNode
{
    public required string Id { get; init; }
    public required string TypeId { get; init; }
    public required string Name { get; init; }

    /// <summary>The <c>config</c> object; its shape belongs to the type.</summary>
    public JsonElement Config { get; init; }

    /// <summary>Input ports in document order.</summary>
    public ImmutableArray<KeyValuePair<string, PortValue>> Inputs { get; init; } = [];

    public NodeSettings Settings { get; init; } = new();
    public bool Disabled { get; init; }

    /// <summary>Output ports to mask in events and snapshots.</summary>
    public ImmutableHashSet<string> SensitiveOutputs { get; init; } = [];

    /// <summary>The <c>agent</c> reference, verbatim.</summary>
    public JsonElement? Agent { get; init; }

    public string? CredentialsRef { get; init; }
}

/// <summary>Where the value of an input port comes from (spec/runs-streams-replay.md 1.2).</summary>
public abstract record PortValue
{
    private PortValue()
    {
    }

    /// <summary>A literal.</summary>
    public sealed record Static(JsonElement Value) : PortValue;

    /// <summary>An expression over inputs, variables and outputs (docs/expressions.md).</summary>
    public sealed record Expression(string Text) : PortValue;

    /// <summary>An output of another node.</summary>
    public sealed record Connection(string NodeId, string OutputKey, bool Optional) : PortValue;

    /// <summary>A variable of the run.</summary>
    public sealed record Variable(string VariableName, bool Optional) : PortValue;
}

/// <summary>How the incoming edges of a node decide that it may run (spec/runs-streams-replay.md 1.3).</summary>
public enum TriggerRule
{
    AllSuccess,
    AnySuccess,
    AllComplete,
    NoneFailed,
    AnyFailed,
}

/// <summary>Defaults of trigger rules.</summary>
public static class TriggerRules
{
    /// <summary>
    /// The rule of an edge that names none: <c>all_success</c>, but <c>none_failed</c> into a join or an end, which
    /// exist to bring alternative branches together.
    /// </summary>
    public static TriggerRule DefaultFor(string targetTypeId) =>
        targetTypeId is "core.merge" or "core.end" ? TriggerRule.NoneFailed : TriggerRule.AllSuccess;
}

/// <summary>An edge (spec/runs-streams-replay.md 1.3).</summary>
public sealed record WorkflowEdge
{
    public required string Id { get; init; }
    public required string SourceNodeId { get; init; }
    public required string TargetNodeId { get; init; }
    public string SourceOutput { get; init; } = "output";
    public string TargetInput { get; init; } = "input";
    public EdgeCondition? Condition { get; init; }

    /// <summary>The rule as written; null when the definition leaves it open, which <see cref="TriggerRules.DefaultFor"/> decides.</summary>
    public TriggerRule? TriggerRule { get; init; }
}

/// <summary>A condition on an edge; an empty one always holds.</summary>
/// <param name="Type"><c>expression</c>, <c>equals</c>, <c>notEquals</c>, <c>contains</c>, <c>regex</c>, or null when absent.</param>
/// <param name="Left">Path into the source's result, such as <c>status</c> or <c>output.approved</c>.</param>
/// <param name="Right">Value to compare with; null when absent.</param>
/// <param name="Expression">Expression text for <c>expression</c>.</param>
public sealed record EdgeCondition(string? Type, string? Left, JsonElement? Right, string? Expression);

/// <summary>A trigger (spec/runs-streams-replay.md 1.4).</summary>
public sealed record WorkflowTrigger
{
    public required string Id { get; init; }
    public required string Type { get; init; }
    public bool Enabled { get; init; } = true;
    public string? NodeId { get; init; }
    public string? EventType { get; init; }
    public JsonElement? Config { get; init; }
}

/// <summary>A variable (spec/runs-streams-replay.md 1.4).</summary>
public sealed record WorkflowVariable
{
    public required string Name { get; init; }
    public required string Type { get; init; }
    public bool Required { get; init; }
    public bool Sensitive { get; init; }
    public JsonElement? DefaultValue { get; init; }
}

/// <summary>A typed channel (spec/interrupts-state-storage.md 6.1).</summary>
public sealed record ChannelDeclaration
{
    public required string Reducer { get; init; }
    public JsonElement? Schema { get; init; }
    public JsonElement? Default { get; init; }
    public int? MaxSize { get; init; }
    public long? TtlMs { get; init; }
    public JsonElement? Options { get; init; }

    /// <summary><c>"public"</c>, <c>"private"</c> or an object with reader and writer lists; null when absent.</summary>
    public JsonElement? Access { get; init; }
    public int SchemaVersion { get; init; } = 1;
    public ImmutableArray<int> CompatibleWith { get; init; } = [];
    public bool Sensitive { get; init; }
}

/// <summary>Settings of a workflow.</summary>
public sealed record WorkflowSettings
{
    /// <summary>Maximum duration of a run in milliseconds; 0 = none.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>Retries of every node that does not say otherwise.</summary>
    public int MaxRetries { get; init; }

    /// <summary>How often a back edge may be followed per loop head, unless the head itself bounds its iterations.</summary>
    public int MaxLoopbackIterations { get; init; } = 5;
}

/// <summary>Settings of a node (docs/nodes.md); absent members fall back to the workflow's.</summary>
public sealed record NodeSettings
{
    public int? MaxRetries { get; init; }

    /// <summary>Delay before the first retry in milliseconds.</summary>
    public long RetryDelayMs { get; init; } = 200;

    /// <summary>Factor between two delays: 1 = fixed, 2 = doubling.</summary>
    public double RetryBackoff { get; init; } = 2;

    /// <summary>Upper bound of one delay in milliseconds.</summary>
    public long RetryMaxDelayMs { get; init; } = 60_000;

    /// <summary>Limit of one attempt in milliseconds; 0 = none.</summary>
    public long TimeoutMs { get; init; }
}
