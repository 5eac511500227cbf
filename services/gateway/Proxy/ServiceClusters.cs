using OpenWop.Micro.ServiceDefaults.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace OpenWop.Micro.Gateway.Proxy;

/// <summary>
/// The services behind the gateway as clusters of the reverse proxy, from <c>OPENWOP_&lt;SERVICE&gt;_URL</c>: the same addresses that
/// the typed clients use. The proxy watches their health; routes of traffic that passes through name these clusters.
/// </summary>
internal static class ServiceClusters
{
    private static readonly string[] Services = ["identity", "workflows", "runs", "scheduler", "webhooks"];

    public static void AddServiceClusters(this WebApplicationBuilder builder)
    {
        var clusters = Services.Select(service => Create(service, builder.Configuration.ServiceAddresses(service)))
            .OfType<ClusterConfig>()
            .ToArray();

        // With all services in one process there is nothing to proxy.
        if (clusters.Length > 0)
            builder.Services.AddReverseProxy().LoadFromMemory(routes: [], clusters);
    }

    public static void MapServiceClusters(this WebApplication app)
    {
        if (app.Services.GetService<IProxyConfigProvider>() is not null)
            app.MapReverseProxy();
    }

    /// <summary>The proxy resolves host names by itself.</summary>
    private static string HttpAddress(Uri address) => address.Scheme == "dns" ? $"http://{address.AbsolutePath.TrimStart('/')}" : address.ToString();

    private static ClusterConfig? Create(string service, IReadOnlyList<Uri> addresses) => addresses.Count == 0 ? null : new ClusterConfig
    {
        ClusterId = service,
        LoadBalancingPolicy = "PowerOfTwoChoices",
        Destinations = addresses.Select((address, index) => (Name: $"{service}-{index}", Address: address))
            .ToDictionary(entry => entry.Name, entry => new DestinationConfig { Address = HttpAddress(entry.Address) }, StringComparer.Ordinal),
        HealthCheck = new HealthCheckConfig
        {
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Path = "/healthz",
                Interval = TimeSpan.FromSeconds(5),
                Timeout = TimeSpan.FromSeconds(2),
                Policy = "ConsecutiveFailures",
            },
        },
    };
}
