using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Starts runs on behalf of a node.</summary>
public interface IChildRuns
{
    /// <summary>
    /// Starts a run and returns when it is durable. The same parent, node, execution and ordinal name the same run, however often
    /// they ask.
    /// </summary>
    Task<ChildStart> StartAsync(ChildOrigin origin, ChildRequest request, CancellationToken cancellationToken);
}

/// <summary>Who starts a child.</summary>
/// <param name="Iteration">Which execution of the node.</param>
/// <param name="Ordinal">Which child of the execution, counted from 0.</param>
/// <param name="RootRunId">The run at the top of the tree.</param>
/// <param name="Depth">Depth of the parent; 0 for a run that no run has started.</param>
public sealed record ChildOrigin(string RunId, string NodeId, string WorkflowId, int Iteration, int Ordinal, string RootRunId, int Depth)
{
    public required string Tenant { get; init; }
    public string? Principal { get; init; }
    public bool IsTest { get; init; }
    public string? ScopeId { get; init; }

    /// <summary>The trace context of the attempt that starts the child; null = none is kept.</summary>
    public string? Traceparent { get; init; }

    /// <summary>Triggers that have led to the parent, oldest first; they have led to the child as well.</summary>
    public ImmutableArray<string> Lineage { get; init; } = [];
}

/// <summary>A run to start.</summary>
public sealed record ChildRequest(string WorkflowId)
{
    public ImmutableSortedDictionary<string, JsonElement> Inputs { get; init; } = ImmutableSortedDictionary<string, JsonElement>.Empty;

    /// <summary>Variables that a mapping names but has no value for: the child has none either, not even its default.</summary>
    public ImmutableHashSet<string> Unset { get; init; } = [];

    /// <summary>Inputs whose values are masked outside, as they are at the parent's.</summary>
    public ImmutableHashSet<string> SensitiveInputs { get; init; } = [];

    /// <summary>Variables that <see cref="ChildResult.Variables"/> shall hold.</summary>
    public ImmutableArray<string> Harvest { get; init; } = [];

    /// <summary>True when the child ends with the parent's cancellation, and with its node.</summary>
    public bool Propagates { get; init; } = true;

    /// <summary>True when the child does not outlive the execution of the node, even while that waits for another one.</summary>
    public bool EndsWithNode { get; init; }

    /// <summary>What of a list the child is for, as the log tells; null = no list.</summary>
    public ChildItem? Item { get; init; }
}

/// <summary>An item of a list that a child is for.</summary>
/// <param name="Index">Counted from 0.</param>
/// <param name="Attempt">Counted from 1.</param>
public sealed record ChildItem(int Index, int Attempt);

/// <summary>A child that exists, or why it does not.</summary>
public sealed record ChildStart(string? RunId, NodeError? Error);

/// <summary>What a child came to.</summary>
/// <param name="Status">completed, failed or cancelled.</param>
public sealed record ChildResult(string RunId, string WorkflowId, string Status)
{
    /// <summary>Unmasked values of the variables that were asked for, as far as they are set.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Variables { get; init; } = ImmutableSortedDictionary<string, JsonElement>.Empty;

    public ImmutableHashSet<string> SensitiveVariables { get; init; } = [];

    /// <summary>Outputs of the run, sensitive ones masked; undefined unless it completed.</summary>
    public JsonElement Outputs { get; init; }

    /// <summary>Set when it failed.</summary>
    public NodeError? Error { get; init; }
}

/// <summary>A child that an attempt has started.</summary>
public sealed record StartedChild(string RunId, string WorkflowId, bool Propagates)
{
    public bool EndsWithNode { get; init; }

    public ChildItem? Item { get; init; }
}

/// <summary>A child that this execution of the node has started before.</summary>
/// <param name="Result">Null while it is not over.</param>
public sealed record KnownChild(string RunId, ChildResult? Result);
