namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>One reason why a value does not fit a schema.</summary>
/// <param name="Path">JSON pointer to the value at fault; empty for the whole document.</param>
/// <param name="Keyword">The schema keyword that was not met, such as <c>required</c>.</param>
/// <param name="Message">One sentence for people; quotes at most the name of a member, never a value.</param>
public sealed record SchemaError(string Path, string Keyword, string Message);

/// <summary>A document that is not a usable JSON Schema.</summary>
/// <param name="error">Where in the schema, and why.</param>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1032:Implement standard exception constructors", Justification = "Exists only to carry an error value.")]
public sealed class InvalidSchemaException(SchemaError error) : Exception(error?.Message)
{
    /// <summary>Where in the schema, and why.</summary>
    public SchemaError Error { get; } = error ?? throw new ArgumentNullException(nameof(error));
}
