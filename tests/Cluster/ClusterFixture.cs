using System.Globalization;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.EndToEnd.Tests.Crash;

namespace OpenWop.Micro.Cluster.Tests;

/// <summary>
/// One installation for all fault tests: two gateways, three engines, PostgreSQL and Redis. The tests run one after the other, and each
/// leaves everything running.
/// </summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    /// <summary>Short, so that the tests are.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    public LocalCluster Cluster { get; private set; } = null!;

    internal CountingServer Effects { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Effects = await CountingServer.StartAsync();
        Cluster = await LocalCluster.UpAsync(new ClusterOptions
        {
            Folder = Path.Combine(Path.GetTempPath(), "openwop-cluster-" + Guid.NewGuid().ToString("N")[..8]),
            Settings = new Dictionary<string, string>
            {
                ["OPENWOP_CLAIM_TTL_MS"] = Lease.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
                ["OPENWOP_FIXTURES"] = Path.Combine(AppContext.BaseDirectory, "Fixtures"),
                ["OPENWOP_EGRESS_ALLOW_PRIVATE"] = "true",
                ["OPENWOP_WEBHOOK_ALLOW_PRIVATE"] = "true",
                ["OPENWOP_RATELIMIT_DISABLED"] = "true",
                ["OPENWOP_LOG_LEVEL"] = "Warning",
            },
        });
    }

    /// <summary>Brings back whatever a fault has taken away.</summary>
    public async Task HealAsync()
    {
        foreach (var member in Cluster.Members.ToList())
        {
            if (!member.IsAlive)
                await Cluster.RestartAsync(member.Name);

            await Cluster[member.Name].SignalAsync("CONT");
        }

        foreach (var member in Cluster.Members)
            await Cluster.ReadyAsync(member.Name);
    }

    public async Task DisposeAsync()
    {
        if (Cluster is not null)
        {
            // The logs of a failed run are worth more than a clean disk.
            if (Environment.GetEnvironmentVariable("OPENWOP_CLUSTER_LOGS") is { Length: > 0 } target)
            {
                foreach (var member in Cluster.Members.Where(member => File.Exists(member.Log)))
                    File.Copy(member.Log, Path.Combine(Directory.CreateDirectory(target).FullName, Path.GetFileName(member.Log)), overwrite: true);
            }

            await Cluster.DownAsync();
        }

        await Effects.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class WithCluster : ICollectionFixture<ClusterFixture>
{
    public const string Name = "cluster";
}
