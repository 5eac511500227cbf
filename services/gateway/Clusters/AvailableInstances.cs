using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace OpenWop.Micro.Gateway.Clusters;

/// <summary>
/// Decides which destinations of a cluster get traffic, and tells those who want to know: all that nobody has found unhealthy; all of them
/// while that is nobody. The proxy asks whenever the health of a destination or the list of them changes.
/// </summary>
internal sealed class AvailableInstances : IAvailableDestinationsPolicy
{
    public const string PolicyName = "healthy-or-all";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, IReadOnlyList<Uri>> _available = new(StringComparer.Ordinal);
    private readonly List<(string Cluster, ChannelWriter<IReadOnlyList<Uri>> News)> _watches = [];

    public string Name => PolicyName;

    public IReadOnlyList<DestinationState> GetAvailalableDestinations(ClusterConfig config, IReadOnlyList<DestinationState> allDestinations)
    {
        IReadOnlyList<DestinationState> available = [.. allDestinations.Where(IsHealthy)];
        if (available.Count == 0)
            available = allDestinations;

        Tell(config.ClusterId, [.. available.Select(destination => new Uri(destination.Model.Config.Address)).OrderBy(address => address.Authority, StringComparer.Ordinal)]);
        return available;
    }

    /// <summary>The available instances of a cluster, as soon as there are any and whenever they change; who is slow gets the newest only.</summary>
    public async IAsyncEnumerable<IReadOnlyList<Uri>> WatchAsync(string cluster, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var news = Channel.CreateBounded<IReadOnlyList<Uri>>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var watch = (cluster, news.Writer);
        lock (_gate)
        {
            _watches.Add(watch);
            if (_available.TryGetValue(cluster, out var known))
                news.Writer.TryWrite(known);
        }

        try
        {
            await foreach (var instances in news.Reader.ReadAllAsync(cancellationToken))
                yield return instances;
        }
        finally
        {
            lock (_gate)
                _watches.Remove(watch);
        }
    }

    private static bool IsHealthy(DestinationState destination) =>
        destination.Health is { Active: not DestinationHealth.Unhealthy, Passive: not DestinationHealth.Unhealthy };

    private void Tell(string cluster, IReadOnlyList<Uri> instances)
    {
        lock (_gate)
        {
            if (instances.Count == 0 || (_available.TryGetValue(cluster, out var known) && known.SequenceEqual(instances)))
                return;

            _available[cluster] = instances;
            foreach (var (_, news) in _watches.Where(watch => watch.Cluster == cluster))
                news.TryWrite(instances);
        }
    }
}
