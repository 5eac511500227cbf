using System.Collections.Immutable;

namespace OpenWop.Micro.Workflows.Catalogue;

/// <summary>A parameter of a block type that authors may set; anything not listed is refused.</summary>
internal sealed record BlockParam(string Id, string Title, string Type = "short-input", bool Required = false, string? Options = null);

/// <summary>What a block type is to its authors: the catalogue shows it, and patches are held against the same row.</summary>
/// <param name="Kind"><c>compute</c>, <c>wait</c> or <c>trigger</c>.</param>
/// <param name="Outputs">Names and types of outputs. Those of a trigger are the input of the run and so are not known here.</param>
internal sealed record BlockType(
    string Type,
    string Name,
    string Description,
    string Category,
    string Kind,
    ImmutableArray<BlockParam> Params,
    ImmutableArray<(string Name, string Type)> Outputs)
{
    /// <summary>Whether templates may name an output that is not declared.</summary>
    public bool OutputsAreOpen => Kind == "trigger";

    public bool Exposes(string param) => Params.Any(known => known.Id == param);
}
