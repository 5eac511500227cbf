using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>One reason why a definition is refused.</summary>
/// <param name="Path">JSON pointer into the definition.</param>
/// <param name="Code">The schema keyword that is not met (<c>required</c>, <c>additionalProperties</c>, …) or the rule in snake_case.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record DefinitionError(string Path, string Code, string Message);

/// <summary>A definition that passed, or why it did not.</summary>
/// <param name="Definition">Present when there are no errors.</param>
/// <param name="Errors">At most <see cref="WorkflowLimits.MaxErrors"/>, in the order of the document.</param>
public sealed record ValidatedDefinition(WorkflowDefinition? Definition, IReadOnlyList<DefinitionError> Errors)
{
    public bool IsValid => Definition is not null;

    /// <summary>
    /// The errors as the protocol's error, with <c>details.errors</c>: <c>payload_too_large</c> for a document that is too large,
    /// else <c>validation_error</c>. Null when the definition is valid.
    /// </summary>
    public ProtocolError? ToProtocolError()
    {
        if (IsValid)
            return null;

        var first = Errors[0];
        var code = first.Code == "too_large" ? ErrorCodes.PayloadTooLarge : ErrorCodes.ValidationError;
        var place = first.Path.Length > 0 ? $" (at {first.Path})" : "";
        return new ProtocolError(code, $"The workflow definition is not valid: {first.Message}{place}", new JsonObject
        {
            ["errors"] = new JsonArray([.. Errors.Select(error => new JsonObject
            {
                ["path"] = error.Path,
                ["code"] = error.Code,
                ["message"] = error.Message,
            })]),
        });
    }
}
