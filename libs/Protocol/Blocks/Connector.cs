using System.Collections.Immutable;

namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>Who may set a parameter.</summary>
public enum ParameterVisibility
{
    /// <summary>Everybody who edits the workflow, language models included.</summary>
    UserOrLlm,

    /// <summary>People only: operations on blocks cannot name it, and the catalogue does not show it.</summary>
    UserOnly,

    /// <summary>Nobody: the server itself fills it in.</summary>
    Hidden,
}

/// <summary>A parameter of a block type.</summary>
/// <param name="Name">Member of the block's <c>params</c>.</param>
/// <param name="Control">How an editor asks for it: <c>short-input</c>, <c>long-input</c>, <c>dropdown</c> or <c>json</c>.</param>
/// <param name="Description">One sentence for people and language models.</param>
public sealed record ConnectorParameter(string Name, string Control, string Description)
{
    /// <summary>Whether a block without it cannot run.</summary>
    public bool IsRequired { get; init; }

    /// <summary>What a dropdown offers.</summary>
    public ImmutableArray<string> Options { get; init; } = [];

    public ParameterVisibility Visibility { get; init; }

    /// <summary>Whether it is the id of a secret in the organization's vault: the connector gets the value, and authors never do.</summary>
    public bool IsSecret { get; init; }
}

/// <summary>A member of a block's output.</summary>
/// <param name="Type"><c>string</c>, <c>number</c>, <c>boolean</c>, <c>object</c>, <c>array</c> or <c>any</c>.</param>
public sealed record ConnectorOutput(string Name, string Type, string Description);

/// <summary>What a block of a type does, as the catalogue shows it and the rules of editing enforce it.</summary>
/// <param name="Type">Name of the block type.</param>
/// <param name="Category"><c>trigger</c>, <c>tools</c>, <c>logic</c>, <c>action</c> or <c>wait</c>.</param>
/// <param name="Kind"><c>trigger</c>, <c>compute</c> or <c>wait</c>.</param>
public sealed record Connector(string Type, string Name, string Description, string Category, string Kind)
{
    public ImmutableArray<ConnectorParameter> Parameters { get; init; } = [];

    public ImmutableArray<ConnectorOutput> Outputs { get; init; } = [];

    /// <summary>Whether the output may have members besides the declared ones, so that references to any are accepted.</summary>
    public bool HasOpenOutputs { get; init; }

    /// <summary>Parameters of a block that does something, as JSON.</summary>
    public string Example { get; init; } = "{}";

    /// <summary>Parameters that operations may set, in the order of the catalogue.</summary>
    public IEnumerable<ConnectorParameter> Exposed => Parameters.Where(parameter => parameter.Visibility == ParameterVisibility.UserOrLlm);

    /// <summary>Whether operations may set a parameter.</summary>
    public bool Exposes(string name) => Parameters.Any(parameter => parameter.Name == name && parameter.Visibility == ParameterVisibility.UserOrLlm);

    /// <summary>Whether a reference to the output may begin with this member.</summary>
    public bool Declares(string output) => HasOpenOutputs || Outputs.Any(declared => declared.Name == output);
}
