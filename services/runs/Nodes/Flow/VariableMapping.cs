using System.Collections.Immutable;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>A mapping of variables between a run and its child: <c>{target: source}</c>.</summary>
internal sealed class VariableMapping
{
    private const int MaxEntries = 256;

    private readonly ImmutableArray<KeyValuePair<string, string>> entries;

    private VariableMapping(ImmutableArray<KeyValuePair<string, string>> entries) => this.entries = entries;

    public static VariableMapping None { get; } = new([]);

    public bool IsEmpty => entries.IsEmpty;

    /// <summary>Variables that are read.</summary>
    public ImmutableArray<string> Sources => [.. entries.Select(entry => entry.Value).Distinct(StringComparer.Ordinal)];

    /// <summary>Variables that are written.</summary>
    public IEnumerable<string> Targets => entries.Select(entry => entry.Key);

    /// <summary>Reads a config member; anything but an object of names is rejected.</summary>
    public static VariableMapping Read(NodeParameters parameters, string name) => Read(parameters, name, parameters.FindConfig(name));

    /// <param name="name">Names the mapping in the rejection.</param>
    public static VariableMapping Read(NodeParameters parameters, string name, JsonElement? value)
    {
        if (value is not { } mapping)
            return None;

        if (mapping.ValueKind != JsonValueKind.Object
            || mapping.GetPropertyCount() > MaxEntries
            || mapping.EnumerateObject().Any(member => member.Value.ValueKind != JsonValueKind.String || member.Name.Length == 0))
        {
            parameters.Reject(name, $"must be an object of up to {MaxEntries} variable names");
            return None;
        }

        return new VariableMapping([.. mapping.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value.GetString()!))]);
    }

    /// <summary>
    /// The inputs of a child. A variable of the parent that is not set leaves the child's variable without a value, which is
    /// neither null nor the child's default.
    /// </summary>
    public ChildRequest Seed(NodeContext context, ChildRequest request)
    {
        var inputs = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        var sensitive = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        var unset = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var (target, source) in entries)
        {
            if (!context.TryGetVariable(source, out var value, out var isSensitive))
            {
                unset.Add(target);
                continue;
            }

            inputs[target] = value;
            if (isSensitive)
                sensitive.Add(target);
        }

        return request with { Inputs = inputs.ToImmutable(), SensitiveInputs = sensitive.ToImmutable(), Unset = unset.ToImmutable() };
    }

    /// <summary>Sets the parent's variables from a child that completed; a variable that the child has not set changes nothing.</summary>
    public void Harvest(NodeContext context, ChildResult child)
    {
        foreach (var (target, source) in entries)
        {
            if (child.Variables.TryGetValue(source, out var value))
                context.SetVariable(target, value, child.SensitiveVariables.Contains(source));
        }
    }
}
