using System.Diagnostics.CodeAnalysis;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>The host does not do what the protocol asks for.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Exists only to carry what was found.")]
internal class ConformanceException(string message) : Exception(message);

/// <summary>The host does what it should, and too late.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Exists only to carry what was found.")]
internal sealed class LateException(string message) : ConformanceException(message);

/// <summary>What a scenario demands.</summary>
internal static class Expect
{
    public static void That([DoesNotReturnIf(false)] bool holds, string demand)
    {
        if (!holds)
            throw new ConformanceException(demand);
    }

    /// <summary>Demands what depends on how quick the host is.</summary>
    public static void InTime([DoesNotReturnIf(false)] bool holds, string demand)
    {
        if (!holds)
            throw new LateException(demand);
    }

    public static void Equal<T>(T expected, T actual, string what) =>
        That(EqualityComparer<T>.Default.Equals(expected, actual), $"{what}: expected {expected}, got {actual}");

    public static void Sequence<T>(IEnumerable<T> expected, IEnumerable<T> actual, string what)
    {
        var (left, right) = (expected.ToList(), actual.ToList());
        That(left.SequenceEqual(right), $"{what}: expected [{string.Join(", ", left)}], got [{string.Join(", ", right)}]");
    }

    public static void OneOf<T>(T actual, string what, params ReadOnlySpan<T> allowed)
    {
        foreach (var candidate in allowed)
        {
            if (EqualityComparer<T>.Default.Equals(candidate, actual))
                return;
        }

        throw new ConformanceException($"{what}: {actual} is none of {string.Join(", ", allowed.ToArray())}");
    }
}
