using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace OpenWop.Micro.Gateway.Clusters;

/// <summary>
/// Turns the name of a <c>dns:///host:port</c> address into one destination per IP address, every <see cref="RefreshInterval"/>. A name that
/// cannot be resolved at the moment stays what it was. Other addresses are left as they are: their certificates are about their names.
/// </summary>
internal sealed partial class NamedInstances(ILogger<NamedInstances> logger) : IDestinationResolver
{
    private const string Mark = "openwop.dns";

    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, IPAddress[]> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();

    /// <summary>The destination that stands for an address of a service.</summary>
    /// <param name="scheme">Of the instances behind a name.</param>
    public static DestinationConfig Describe(Uri address, string scheme) => address.Scheme == "dns"
        ? new DestinationConfig { Address = $"{scheme}://{address.AbsolutePath.TrimStart('/')}", Metadata = new Dictionary<string, string> { [Mark] = "" } }
        : new DestinationConfig { Address = address.ToString() };

    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var resolved = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        var hasNames = false;
        foreach (var (name, destination) in destinations)
        {
            if (destination.Metadata?.ContainsKey(Mark) != true)
            {
                resolved[name] = destination;
                continue;
            }

            hasNames = true;
            var url = new Uri(destination.Address);
            foreach (var address in await ResolveAsync(url.Host, cancellationToken))
                resolved[$"{name}/{address}"] = new DestinationConfig { Address = new UriBuilder(url) { Host = address.ToString() }.Uri.ToString() };
        }

        return new ResolvedDestinationCollection(resolved, hasNames ? After(RefreshInterval) : null);
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
            lock (_gate)
                return _known[host] = addresses;
        }
        catch (SocketException exception)
        {
            Log.NotResolved(logger, host, exception.Message);
            lock (_gate)
                return _known.GetValueOrDefault(host, []);
        }
    }

    private static CancellationChangeToken After(TimeSpan time) => new(new CancellationTokenSource(time).Token);

    private static partial class Log
    {
        [LoggerMessage(EventId = 3101, Level = LogLevel.Warning, Message = "The name {Host} cannot be resolved ({Reason}); its last known addresses are used")]
        public static partial void NotResolved(ILogger logger, string host, string reason);
    }
}
