namespace OpenWop.Micro.Protocol.Expressions;

/// <summary>Bounds of one evaluation.</summary>
public sealed record ExpressionLimits
{
    public static readonly ExpressionLimits Default = new();

    /// <summary>
    /// Work that may be done. A step is one evaluated part of the expression, one element of a list or map that is looked at
    /// or made, or 32 characters of text that are read or written.
    /// </summary>
    public int MaxSteps { get; init; } = 100_000;

    /// <summary>Largest value in bytes of JSON.</summary>
    public int MaxResultBytes { get; init; } = 1024 * 1024;
}
