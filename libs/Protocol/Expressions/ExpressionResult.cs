using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions;

/// <summary>The value of an expression, or why it has none.</summary>
public readonly record struct ExpressionResult
{
    internal ExpressionResult(JsonElement value) => Value = value;

    internal ExpressionResult(ExpressionError error) => Error = error;

    /// <summary>The value; undefined when <see cref="Error"/> is set.</summary>
    public JsonElement Value { get; }

    /// <summary>What went wrong, or null.</summary>
    public ExpressionError? Error { get; }

    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsSuccess => Error is null;
}
