using OpenWop.Micro.Grpc.Client;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace OpenWop.Micro.Gateway.Clusters;

/// <summary>The destinations of a cluster as the instances that typed clients call.</summary>
internal sealed class ClusterInstances(string cluster, AvailableInstances available, IProxyStateLookup proxy, IDestinationHealthUpdater health) : ServiceInstances
{
    public static ServiceInstances Create(IServiceProvider services, string service) => new ClusterInstances(
        service,
        services.GetRequiredService<AvailableInstances>(),
        services.GetRequiredService<IProxyStateLookup>(),
        services.GetRequiredService<IDestinationHealthUpdater>());

    public override IAsyncEnumerable<IReadOnlyList<Uri>> WatchAsync(CancellationToken cancellationToken) => available.WatchAsync(cluster, cancellationToken);

    public override void LeftAlone(Uri instance, TimeSpan pause)
    {
        if (!proxy.TryGetCluster(cluster, out var state))
            return;

        foreach (var destination in state.Destinations.Values.Where(destination => new Uri(destination.Model.Config.Address).Authority == instance.Authority))
            health.SetPassive(state, destination, DestinationHealth.Unhealthy, pause);
    }
}
