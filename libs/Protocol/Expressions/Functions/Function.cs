using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>A function of the language: a pure computation that pays for its work.</summary>
/// <param name="Usage">How it is called, for messages and documentation.</param>
/// <param name="Invoke">Computes the result; arguments are never errors and their number is right.</param>
internal sealed record Function(string Name, string Usage, int MinArguments, int MaxArguments, Func<Call, Value> Invoke)
{
    /// <summary>Functions are the same when they have the same name.</summary>
    public bool Equals(Function? other) => other is not null && Name == other.Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}
