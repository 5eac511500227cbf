using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>
/// The connections to all instances of a service: calls go round them in turn, an instance that cannot be reached, or
/// does not answer any more, is left out and tried again. Who answers is found out in three ways: by connecting, by asking for its health
/// (<see cref="ProbedResolver"/> or <see cref="ServiceInstances"/>), and by how calls end (<see cref="CircuitBreaker"/>).
/// </summary>
internal sealed class NetworkChannel : IDisposable
{
    private static readonly TimeSpan DnsRefreshInterval = TimeSpan.FromSeconds(15);

    private readonly GrpcChannel _channel;
    private readonly ServiceProvider _resolvers;

    private NetworkChannel(GrpcChannel channel, ServiceProvider resolvers, bool propagateCallContext)
    {
        _channel = channel;
        _resolvers = resolvers;
        Invoker = propagateCallContext ? channel.Intercept(new CallContextPropagation()) : channel.CreateCallInvoker();
    }

    public CallInvoker Invoker { get; }

    /// <param name="instances">Who knows which instances get calls; null = the channel finds out.</param>
    /// <param name="retry">False = calls are made once, whatever the options say.</param>
    /// <exception cref="InvalidOperationException">The service does not live in this host, and no address is configured for it.</exception>
    public static NetworkChannel Open(
        string name, ServiceAddresses? addresses, ServiceInstances? instances, ServiceGrpcClientOptions options, TimeProvider time, ILoggerFactory loggers, bool retry = true)
    {
        if (addresses is null)
            throw new InvalidOperationException($"The service '{name}' does not live in this host and no address is configured for it.");

        var isResolved = addresses.Scheme == "dns" && instances is null;
        ResolverFactory resolver = instances is not null ? new WatchedResolverFactory(instances)
            : isResolved ? new DnsResolverFactory(DnsRefreshInterval)
            : new ProbedResolverFactory(addresses.Addresses, () => CreateConnections(options));
        var breakers = new CircuitBreakers(name, instances is null ? null : instances.LeftAlone, time, loggers.CreateLogger<NetworkChannel>());
        var resolvers = new ServiceCollection()
            .AddSingleton(resolver)
            .AddSingleton<LoadBalancerFactory>(new BreakingBalancerFactory(breakers))
            .BuildServiceProvider();

        var channel = GrpcChannel.ForAddress(
            isResolved ? addresses.Addresses[0] : new Uri($"static:///{Uri.EscapeDataString(name)}"),
            new GrpcChannelOptions
            {
                Credentials = addresses.Scheme == "https" || (addresses.Scheme == "dns" && options.SecureNames) ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
                HttpHandler = new AmbiguousFailureHandler(new OutcomeHandler(breakers, CreateConnections(options))),
                DisposeHttpClient = true,
                LoggerFactory = loggers,
                ServiceProvider = resolvers,
                MaxReceiveMessageSize = options.MaxReceiveMessageSize,
                MaxSendMessageSize = options.MaxSendMessageSize,
                InitialReconnectBackoff = options.InitialReconnectBackoff,
                MaxReconnectBackoff = options.MaxReconnectBackoff,
                ServiceConfig = CreateServiceConfig(retry && options.Retry),
            });

        return new NetworkChannel(channel, resolvers, options.PropagateCallContext);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _resolvers.Dispose();
    }

    private static SocketsHttpHandler CreateConnections(ServiceGrpcClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            // A connection carries a hundred calls at a time; more calls open more connections instead of queueing.
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            UseProxy = false,
            UseCookies = false,
        };
        options.ConfigureHandler?.Invoke(handler);
        return handler;
    }

    private static ServiceConfig CreateServiceConfig(bool retry)
    {
        var config = new ServiceConfig { LoadBalancingConfigs = { new LoadBalancingConfig(BreakingBalancer.PolicyName) } };
        if (retry)
        {
            config.MethodConfigs.Add(new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 3,
                    InitialBackoff = TimeSpan.FromMilliseconds(50),
                    MaxBackoff = TimeSpan.FromMilliseconds(500),
                    BackoffMultiplier = 4,
                    // AmbiguousFailureHandler takes the calls out that a server may have received.
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            });
        }

        return config;
    }
}
