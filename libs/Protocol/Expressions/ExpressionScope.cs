using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions;

/// <summary>The names that an expression may use. Values are looked up, not copied: a scope is cheap to make.</summary>
public sealed class ExpressionScope
{
    private readonly List<(string Name, Value Value, Func<IReadOnlyDictionary<string, JsonElement>>? Members)> names = [];

    /// <summary>An empty scope.</summary>
    public ExpressionScope()
    {
    }

    /// <summary>A scope with all names of another one, to which more can be added.</summary>
    public ExpressionScope(ExpressionScope outer)
    {
        ArgumentNullException.ThrowIfNull(outer);
        names.AddRange(outer.names);
    }

    internal IEnumerable<string> Names => names.Select(entry => entry.Name).Distinct().Order(StringComparer.Ordinal);

    /// <summary>
    /// The scope of expressions that belong to a run, such as those of input ports: <c>inputs</c> of the run,
    /// <c>variables</c>, <c>nodes</c> (outputs by node id) and <c>run</c> with <c>id</c>, <c>workflowId</c>, <c>inputs</c>
    /// and <c>configurable</c>.
    /// </summary>
    public static ExpressionScope ForRun(
        string runId,
        string workflowId,
        JsonElement runInputs,
        JsonElement configurable,
        IReadOnlyDictionary<string, JsonElement> variables,
        Func<IReadOnlyDictionary<string, JsonElement>> nodeOutputs) => new ExpressionScope()
            .Add("inputs", runInputs)
            .Add("variables", variables)
            .Add("nodes", nodeOutputs)
            .Add("run", () => new Dictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                ["id"] = JsonSerializer.SerializeToElement(runId),
                ["workflowId"] = JsonSerializer.SerializeToElement(workflowId),
                ["inputs"] = runInputs,
                ["configurable"] = configurable,
            });

    /// <summary>Adds a name for a value. A name that is added again hides the earlier one.</summary>
    public ExpressionScope Add(string name, JsonElement value) => Add(name, Value.From(value));

    /// <summary>Adds a name for a map whose members are looked up one by one.</summary>
    public ExpressionScope Add(string name, IReadOnlyDictionary<string, JsonElement> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return Add(name, Value.From(members));
    }

    /// <summary>Adds a name for a map that is only made when an expression uses it; it must be the same each time.</summary>
    public ExpressionScope Add(string name, Func<IReadOnlyDictionary<string, JsonElement>> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        names.Add((name, default, members));
        return this;
    }

    internal ExpressionScope Add(string name, Value value)
    {
        names.Add((name, value, null));
        return this;
    }

    internal bool TryGet(string name, out Value value)
    {
        for (var index = names.Count - 1; index >= 0; index--)
        {
            if (names[index].Name == name)
            {
                value = names[index].Members is { } members ? Value.From(members()) : names[index].Value;
                return true;
            }
        }

        value = default;
        return false;
    }
}
