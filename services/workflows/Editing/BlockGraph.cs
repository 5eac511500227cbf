using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>A workflow as its authors see it: a view of the one definition (docs/decisions/0041-control-plane-model.md).</summary>
internal sealed record BlockGraph
{
    public static readonly BlockGraph Empty = new();

    public string? Name { get; init; }

    public string? Description { get; init; }

    public ImmutableArray<Block> Blocks { get; init; } = [];

    public ImmutableArray<Connection> Connections { get; init; } = [];

    /// <summary>An object; undefined when there are no variables.</summary>
    public JsonElement Variables { get; init; }
}

/// <summary>A block; its id is the id of the node.</summary>
internal sealed record Block(string Id, string Type, ImmutableSortedDictionary<string, JsonElement> Params)
{
    public static readonly ImmutableSortedDictionary<string, JsonElement> NoParams =
        ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);

    public string? Name { get; init; }

    public bool Enabled { get; init; } = true;

    public BlockPosition? Position { get; init; }
}

/// <summary>Where a block is drawn.</summary>
internal sealed record BlockPosition(double X, double Y);

/// <summary>A directed edge.</summary>
/// <param name="Handle">Output port of the source, such as <c>true</c> or <c>error</c>; empty for the default one.</param>
/// <param name="Condition">Kept for authors; empty when absent.</param>
internal sealed record Connection(string Source, string Target, string Handle = "", string Condition = "");
