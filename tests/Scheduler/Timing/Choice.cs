using CsCheck;

namespace OpenWop.Micro.Scheduler.Tests.Timing;

internal static class Choice
{
    /// <summary>One of some values.</summary>
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
