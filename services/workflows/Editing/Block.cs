using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>A node of a definition as editing sees it.</summary>
/// <param name="Type">The node's <c>typeId</c>.</param>
/// <param name="Params">An object: the node's <c>config</c>.</param>
internal sealed record Block(string Id, string Type, JsonElement Params)
{
    /// <summary>Null when the block goes by its id.</summary>
    public string? Name { get; init; }

    public bool IsEnabled { get; init; } = true;

    public double X { get; init; }

    public double Y { get; init; }

    /// <summary>The node as it is stored; undefined for a new one. What editing does not know stays as it is there.</summary>
    public JsonElement Stored { get; init; }

    /// <summary>Whether the node has to be written anew.</summary>
    public bool IsChanged { get; init; }
}

/// <summary>An edge of a definition as editing sees it.</summary>
/// <param name="Handle">Output port; null = none in particular.</param>
internal sealed record Connection(string Source, string Target, string? Handle)
{
    /// <summary>A note; nothing decides by it.</summary>
    public string? Condition { get; init; }

    /// <summary>The edge as it is stored; undefined for a new one.</summary>
    public JsonElement Stored { get; init; }

    public bool IsChanged { get; init; }
}
