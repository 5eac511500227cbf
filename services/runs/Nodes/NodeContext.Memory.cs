using System.Collections.Immutable;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Memory;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>What agents remember beyond a run (spec/agents.md 8).</summary>
public sealed partial class NodeContext
{
    private NodeMemory? memory;

    /// <summary>Whether the run was made with a test key, here or by the run that has started it.</summary>
    internal bool IsTest => Origin?.IsTest ?? false;

    /// <summary>When the run started: what had been remembered then is what it sees.</summary>
    internal DateTimeOffset RunStartedAt { get; init; }

    /// <summary>Entries that the run has written before this attempt.</summary>
    internal ImmutableHashSet<string> Remembered { get; init; } = [];

    /// <summary>Where entries are read; null for pure handlers.</summary>
    internal MemoryStore? MemoryStore { get; set; }

    /// <summary>The memory of the tenant's agents; not for pure handlers.</summary>
    internal NodeMemory Memory => memory ??= new NodeMemory(this, MemoryStore ?? throw new InvalidOperationException("A pure handler cannot remember."));

    internal IReadOnlyList<MemoryChange> MemoryChanges => memory?.Changes ?? [];
}
