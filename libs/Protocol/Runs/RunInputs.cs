using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>What a workflow asks of the request that starts it.</summary>
public static class RunInputs
{
    private static readonly ImmutableSortedDictionary<string, JsonElement> None =
        ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);

    /// <summary>
    /// The variables a run starts with: defaults, then inputs. Inputs that are not declared become variables too. Refused are a
    /// required variable with neither, and an input of another type than declared (spec/runs-streams-replay.md 1.4).
    /// </summary>
    /// <param name="definition">The workflow.</param>
    /// <param name="inputs">An object, or undefined for none.</param>
    /// <param name="variables">Values by name, in ordinal order.</param>
    /// <param name="error">A <c>validation_error</c> that names the input.</param>
    public static bool TryBind(
        WorkflowDefinition definition,
        JsonElement inputs,
        [NotNullWhen(true)] out ImmutableSortedDictionary<string, JsonElement>? variables,
        [NotNullWhen(false)] out ProtocolError? error)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var values = None.ToBuilder();
        foreach (var variable in definition.Variables)
        {
            if (variable.DefaultValue is { } value)
                values[variable.Name] = value;
        }

        if (inputs.ValueKind == JsonValueKind.Object)
        {
            foreach (var input in inputs.EnumerateObject())
            {
                values[input.Name] = input.Value;
            }
        }

        error = definition.Variables.Select(variable => Check(variable, values)).FirstOrDefault(problem => problem is not null);
        variables = error is null ? values.ToImmutable() : null;
        return error is null;
    }

    /// <summary>Holds <c>configurable</c> against the workflow's <c>configurableSchema</c>; null when it fits or there is none.</summary>
    public static ProtocolError? CheckConfigurable(WorkflowDefinition definition, JsonElement configurable)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (definition.ConfigurableSchema is not { } schema)
            return null;

        var value = configurable.ValueKind == JsonValueKind.Object ? configurable : RunRequestOptions.EmptyObject;
        try
        {
            var errors = JsonSchemaDocument.CompileCached(schema).Validate(value);
            return errors.Count == 0 ? null : SchemaMisfit("'configurable' does not fit the workflow's configurableSchema", "configurable", errors);
        }
        catch (InvalidSchemaException)
        {
            return ProtocolError.Validation("The workflow's configurableSchema is no usable schema.", "workflowId");
        }
    }

    /// <summary>Errors of a schema as a <c>validation_error</c> with <c>details.errors</c>.</summary>
    /// <param name="what">What does not fit what, without a full stop.</param>
    /// <param name="field">Member of the request that was held against the schema.</param>
    /// <param name="errors">At least one.</param>
    public static ProtocolError SchemaMisfit(string what, string field, IReadOnlyList<SchemaError> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        return new ProtocolError(ErrorCodes.ValidationError, $"{what}: {errors[0].Message}", new JsonObject
        {
            ["field"] = field,
            ["errors"] = new JsonArray([.. errors.Select(error => new JsonObject
            {
                ["path"] = error.Path,
                ["code"] = error.Keyword,
                ["message"] = error.Message,
            })]),
        });
    }

    private static ProtocolError? Check(WorkflowVariable variable, ImmutableSortedDictionary<string, JsonElement>.Builder values)
    {
        var field = $"inputs.{variable.Name}";
        if (!values.TryGetValue(variable.Name, out var value))
            return variable.Required ? ProtocolError.Validation($"Input '{variable.Name}' is missing.", field) : null;

        return VariableTypes.Accepts(variable.Type, value)
            ? null
            : ProtocolError.Validation($"Input '{variable.Name}' must be of type {variable.Type}.", field);
    }
}
