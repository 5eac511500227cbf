using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>
/// The block types of a host: the built-in ones and those that it has registered. Catalogue, editing and engine of a host read the same
/// set. What is registered adds to it and never replaces: a type means the same on every host that has it.
/// </summary>
public sealed class ConnectorSet
{
    private readonly FrozenDictionary<string, Connector> _byType;

    /// <param name="registered">Block types besides the built-in ones, in the order of the catalogue.</param>
    /// <exception cref="ArgumentException">A type is taken or not well described.</exception>
    public ConnectorSet(IEnumerable<Connector> registered)
    {
        All = [.. Connectors.All, .. registered.Select(Checked)];
        if (All.GroupBy(connector => connector.Type, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } taken)
            throw new ArgumentException($"There is a block type '{taken.Key}' already.", nameof(registered));

        _byType = All.ToFrozenDictionary(connector => connector.Type, StringComparer.Ordinal);
        TypeList = string.Join(", ", All.Select(connector => connector.Type));
    }

    /// <summary>The built-in block types.</summary>
    public static ConnectorSet BuiltIn { get; } = new([]);

    /// <summary>In the order of the catalogue: built-in ones first.</summary>
    public ImmutableArray<Connector> All { get; }

    /// <summary>All types, for messages.</summary>
    public string TypeList { get; }

    /// <summary>The block type of a name, or null.</summary>
    public Connector? Find(string type) => _byType.GetValueOrDefault(type);

    /// <summary>Whether nodes of a type are blocks: their strings are templates, and handles lead from one to the next.</summary>
    public bool IsBlock(string typeId) => _byType.ContainsKey(typeId);

    /// <summary>Why a registered block type is not well described; null when it is.</summary>
    public static string? ProblemOf(Connector connector)
    {
        ArgumentNullException.ThrowIfNull(connector);
        return !IsName(connector.Type) || connector.Type.StartsWith("core.", StringComparison.Ordinal) ? "its type must have 1 to 128 characters of a-z 0-9 _ . - and not begin with core."
            : connector.Kind != "compute" ? "its kind must be compute: triggers and waits are the engine's"
            : connector.Category is not ("tools" or "logic" or "action") ? "its category must be tools, logic or action"
            : connector.Name.Length == 0 || connector.Description.Length == 0 ? "it needs a name and a description"
            : connector.Parameters.GroupBy(parameter => parameter.Name, StringComparer.Ordinal).Any(group => group.Count() > 1) ? "two of its parameters have the same name"
            : connector.Parameters.FirstOrDefault(parameter => parameter.Control is not ("short-input" or "long-input" or "dropdown" or "json")) is { } odd
                ? $"the control of parameter '{odd.Name}' must be short-input, long-input, dropdown or json"
            : connector.Outputs.GroupBy(output => output.Name, StringComparer.Ordinal).Any(group => group.Count() > 1) ? "two of its outputs have the same name"
            : ExampleProblem(connector);
    }

    private static Connector Checked(Connector connector) => ProblemOf(connector) is { } problem
        ? throw new ArgumentException($"Block type '{connector.Type}' is not well described: {problem}.", nameof(connector))
        : connector;

    private static bool IsName(string type) =>
        type.Length is > 0 and <= 128 && type.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '_' or '.' or '-');

    /// <summary>The example is what models copy: it has to be one.</summary>
    private static string? ExampleProblem(Connector connector)
    {
        try
        {
            using var example = JsonDocument.Parse(connector.Example);
            if (example.RootElement.ValueKind != JsonValueKind.Object)
                return "its example must be a JSON object";

            return example.RootElement.EnumerateObject().FirstOrDefault(member => !connector.Exposes(member.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } unknown
                ? $"its example has '{unknown.Name}', which it does not expose"
                : connector.Parameters.FirstOrDefault(parameter => parameter.IsRequired && parameter.Visibility == ParameterVisibility.UserOrLlm && !example.RootElement.TryGetProperty(parameter.Name, out _))
                    is { } missing ? $"its example lacks '{missing.Name}', which is required" : null;
        }
        catch (JsonException)
        {
            return "its example must be JSON";
        }
    }
}
