using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.ServiceDefaults.Clocks;

/// <summary>
/// A clock that is off, for tests of an installation whose machines do not agree about the time: <c>OPENWOP_TEST_CLOCK_OFFSET_MS</c>, which
/// is refused unless <c>OPENWOP_TEST_SEAMS</c> is on.
/// </summary>
internal sealed class WrongClock(TimeSpan offset) : TimeProvider
{
    private const string Gate = "OPENWOP_TEST_SEAMS";
    private const string Offset = "OPENWOP_TEST_CLOCK_OFFSET_MS";
    private const long Day = 24 * 60 * 60 * 1000;

    /// <summary>The clock of this process.</summary>
    /// <exception cref="InvalidOperationException">An offset without the gate.</exception>
    public static TimeProvider OrRight(IConfiguration configuration)
    {
        var offset = configuration.Number(Offset, otherwise: 0, min: -Day, max: Day);
        if (offset == 0)
            return System;

        return configuration.Switch(Gate)
            ? new WrongClock(TimeSpan.FromMilliseconds(offset))
            : throw new InvalidOperationException($"{Offset} is for tests and needs {Gate}=true.");
    }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + offset;
}
