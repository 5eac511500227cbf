using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions.Functions;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// Rules between the parts of a definition: names are unique, references lead somewhere, conditions can be decided, nested
/// schemas are schemas. Cycles are legal.
/// </summary>
internal sealed class DefinitionRules
{
    private readonly JsonElement _document;
    private readonly WorkflowDefinition _definition;
    private readonly HashSet<string> _nodeIds;
    private readonly List<DefinitionError> _errors = [];

    private DefinitionRules(JsonElement document, WorkflowDefinition definition)
    {
        _document = document;
        _definition = definition;
        _nodeIds = _definition.Nodes.Select(node => node.Id).ToHashSet(StringComparer.Ordinal);
    }

    /// <param name="document">A document that fits the published schema.</param>
    /// <param name="definition">The same, read.</param>
    public static List<DefinitionError> Check(JsonElement document, WorkflowDefinition definition)
    {
        var rules = new DefinitionRules(document, definition);
        rules.Nodes();
        rules.Edges();
        rules.Triggers();
        rules.Variables();
        rules.Groups();
        rules.Channels();
        rules.Schema("/configurableSchema", definition.ConfigurableSchema);
        return rules._errors;
    }

    private void Nodes()
    {
        Unique("nodes", _definition.Nodes.Select(node => node.Id), "id");
        for (var i = 0; i < _definition.Nodes.Length; i++)
        {
            foreach (var (port, value) in _definition.Nodes[i].Inputs)
            {
                var path = $"/nodes/{i}/inputs/{JsonPath.Escape(port)}";
                if (value is PortValue.Connection connection)
                    RequireNode(connection.NodeId, $"{path}/nodeId");
                else if (value is PortValue.Expression expression)
                    Expression(expression.Text, $"{path}/expression");
            }
        }
    }

    private void Edges()
    {
        Unique("edges", _definition.Edges.Select(edge => edge.Id), "id");
        for (var i = 0; i < _definition.Edges.Length; i++)
        {
            var edge = _definition.Edges[i];
            RequireNode(edge.SourceNodeId, $"/edges/{i}/sourceNodeId");
            RequireNode(edge.TargetNodeId, $"/edges/{i}/targetNodeId");
            if (edge.Condition is { } condition)
                Condition(condition, $"/edges/{i}/condition");
        }
    }

    private void Condition(EdgeCondition condition, string path)
    {
        switch (condition.Type)
        {
            case null when condition is { Left: null, Right: null, Expression: null }:
                break; // An empty condition holds.
            case null when condition.Expression is null:
                // It says what to compare, but not how, and guessing would route runs.
                Add(path, "condition_incomplete", "The condition has no type.");
                break;
            case null or "expression":
                if (string.IsNullOrWhiteSpace(condition.Expression))
                    Add(path, "condition_incomplete", "The condition has no expression.");
                else
                    Expression(condition.Expression, $"{path}/expression");
                break;
            case "regex":
                RequireOperands(condition, path);
                if (condition.Right is { } pattern)
                    Pattern(pattern, $"{path}/right");
                break;
            default:
                RequireOperands(condition, path);
                break;
        }
    }

    private void Pattern(JsonElement pattern, string path)
    {
        if (pattern.ValueKind != JsonValueKind.String)
            Add(path, "invalid_regex", "The pattern must be a string.");
        else if (!Patterns.TryCompile(pattern.GetString()!, out _, out var reason))
            Add(path, "invalid_regex", $"The value is no usable regular expression: {reason}.");
    }

    private void RequireOperands(EdgeCondition condition, string path)
    {
        if (string.IsNullOrWhiteSpace(condition.Left))
            Add(path, "condition_incomplete", "The condition has no left operand.");

        if (condition.Right is null)
            Add(path, "condition_incomplete", "The condition has no right operand.");
    }

    private void Triggers()
    {
        Unique("triggers", _definition.Triggers.Select(trigger => trigger.Id), "id");
        for (var i = 0; i < _definition.Triggers.Length; i++)
        {
            var trigger = _definition.Triggers[i];
            if (trigger.NodeId is { } nodeId)
                RequireNode(nodeId, $"/triggers/{i}/nodeId");

            if (trigger.Type == "channel-write")
                ChannelTrigger(trigger.Config, $"/triggers/{i}/config");
        }
    }

    private void ChannelTrigger(JsonElement? config, string path)
    {
        if (config is not { } settings || !settings.TryGetProperty("channel", out var channel) || channel.ValueKind != JsonValueKind.String)
            Add(path, "trigger_incomplete", "The trigger names no channel.");
        else if (_definition.Channels?.ContainsKey(channel.GetString()!) != true)
            Add($"{path}/channel", "unknown_channel", $"Channel '{channel.GetString()}' is not declared.");
    }

    private void Variables()
    {
        Unique("variables", _definition.Variables.Select(variable => variable.Name), "name");
        for (var i = 0; i < _definition.Variables.Length; i++)
        {
            var variable = _definition.Variables[i];
            if (variable.DefaultValue is { } value && !VariableTypes.Accepts(variable.Type, value))
                Add($"/variables/{i}/defaultValue", "wrong_type", $"The default must be of type {variable.Type}.");
        }
    }

    private void Groups()
    {
        if (!_document.TryGetProperty("groups", out var groups))
            return;

        Unique("groups", groups.EnumerateArray().Select(group => group.GetProperty("id").GetString()!), "id");
        var i = 0;
        foreach (var group in groups.EnumerateArray())
        {
            var k = 0;
            foreach (var member in group.GetProperty("nodeIds").EnumerateArray())
            {
                RequireNode(member.GetString()!, $"/groups/{i}/nodeIds/{k++}");
            }

            i++;
        }
    }

    private void Channels()
    {
        foreach (var (name, channel) in _definition.Channels ?? ImmutableSortedDictionary<string, ChannelDeclaration>.Empty)
        {
            var path = $"/channels/{JsonPath.Escape(name)}";
            if (name.Length is 0 or > WorkflowLimits.MaxChannelName)
                Add(path, "invalid_name", $"A channel name must have 1 to {WorkflowLimits.MaxChannelName} characters.");

            Schema($"{path}/schema", channel.Schema);
        }
    }

    private void Schema(string path, JsonElement? schema)
    {
        if (schema is { } value && !JsonSchemaDocument.TryCompile(value, out _, out var error))
            Add($"{path}{error.Path}", "invalid_schema", error.Message);
    }

    private void Expression(string text, string path)
    {
        if (!Expressions.Expression.TryParse(text, out _, out var error))
            Add(path, "invalid_expression", $"The expression is wrong: {error}.");
    }

    private void RequireNode(string nodeId, string path)
    {
        if (!_nodeIds.Contains(nodeId))
            Add(path, "unknown_node", $"There is no node '{nodeId}'.");
    }

    private void Unique(string list, IEnumerable<string> names, string member)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var i = 0;
        foreach (var name in names)
        {
            if (!known.Add(name))
                Add($"/{list}/{i}/{member}", "duplicate_id", $"'{name}' appears twice.");

            i++;
        }
    }

    private void Add(string path, string code, string message)
    {
        if (_errors.Count < WorkflowLimits.MaxErrors)
            _errors.Add(new DefinitionError(path, code, message));
    }
}
