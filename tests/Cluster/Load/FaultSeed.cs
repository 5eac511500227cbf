using System.Globalization;
using Xunit.Abstractions;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>The random choices of a test: printed, and repeated when <c>OPENWOP_CLUSTER_SEED</c> is set.</summary>
internal static class FaultSeed
{
    public static Random Next(ITestOutputHelper output)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("OPENWOP_CLUSTER_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"OPENWOP_CLUSTER_SEED={seed}");
        return new Random(seed);
    }
}
