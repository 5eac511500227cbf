using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Tls;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace OpenWop.Micro.Gateway.Clusters;

/// <summary>
/// The services behind the gateway as clusters of the reverse proxy, from <c>OPENWOP_&lt;SERVICE&gt;_URL</c>. The proxy is the one who
/// knows which instances get calls (docs/decisions/0060-one-list-of-instances.md):
/// <list type="number">
/// <item>names of <c>dns:///</c> addresses are resolved to instances, again and again (<see cref="NamedInstances"/>);</item>
/// <item>each instance is asked for its health once a second; two failures in a row take it out;</item>
/// <item>what is left (<see cref="AvailableInstances"/>) is where proxied requests and the calls of typed clients go;</item>
/// <item>a typed client whose calls to an instance get no answers takes it out for both (<see cref="ClusterInstances"/>).</item>
/// </list>
/// </summary>
internal static class ServiceClusters
{
    /// <summary>The web console, an HTTP server of its own. Its route is the only one: no service can be called past the checks of the gateway.</summary>
    public const string Console = "console";

    private static readonly string[] Services = ["identity", "workflows", "runs", "scheduler", "webhooks"];

    public static void AddServiceClusters(this WebApplicationBuilder builder)
    {
        var scheme = builder.Configuration.UsesServiceTls() ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var clusters = Services.Append(Console)
            .Select(service => Create(service, builder.Configuration.ServiceAddresses(service), scheme))
            .OfType<ClusterConfig>()
            .ToArray();

        // With all services in one process there is nothing to proxy.
        if (clusters.Length == 0)
            return;

        RouteConfig[] routes = Array.Exists(clusters, cluster => cluster.ClusterId == Console)
            ? [new RouteConfig { RouteId = Console, ClusterId = Console, Match = new RouteMatch { Path = "/console/{**path}" } }]
            : [];
        builder.Services.AddSingleton<AvailableInstances>();
        builder.Services.AddSingleton<IAvailableDestinationsPolicy>(provider => provider.GetRequiredService<AvailableInstances>());
        builder.Services.AddSingleton<IDestinationResolver, NamedInstances>();
        builder.Services.AddReverseProxy().LoadFromMemory(routes, clusters);
        if (scheme == Uri.UriSchemeHttps)
            builder.Services.AddSingleton<IForwarderHttpClientFactory, SecuredConnections>();

        foreach (var cluster in clusters)
            builder.Services.Configure<ServiceGrpcClientOptions>(cluster.ClusterId, static options => options.Instances = ClusterInstances.Create);
    }

    public static void MapServiceClusters(this WebApplication app)
    {
        if (app.Services.GetService<IProxyConfigProvider>() is not null)
            app.MapReverseProxy();
    }

    private static ClusterConfig? Create(string service, IReadOnlyList<Uri> addresses, string scheme) => addresses.Count == 0 ? null : new ClusterConfig
    {
        ClusterId = service,
        LoadBalancingPolicy = "PowerOfTwoChoices",
        Destinations = addresses.Select((address, index) => (Name: $"{service}-{index}", Config: NamedInstances.Describe(address, scheme)))
            .ToDictionary(entry => entry.Name, entry => entry.Config, StringComparer.Ordinal),
        HealthCheck = new HealthCheckConfig
        {
            AvailableDestinationsPolicy = AvailableInstances.PolicyName,
            Active = new ActiveHealthCheckConfig
            {
                Enabled = service != Console,
                Path = "/healthz",
                Interval = TimeSpan.FromSeconds(1),
                Timeout = TimeSpan.FromSeconds(1.5),
                Policy = "ConsecutiveFailures",
            },
            Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = "TransportFailureRate", ReactivationPeriod = TimeSpan.FromSeconds(5) },
        },
    };
}
