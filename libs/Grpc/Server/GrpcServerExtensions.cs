using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenWop.Micro.Grpc.InProcess;

namespace OpenWop.Micro.Grpc.Server;

/// <summary>Registration of the server side: what every host that offers gRPC services has in common.</summary>
public static class GrpcServerExtensions
{
    /// <summary>
    /// Adds the gRPC server, the in-process channel, health (<c>grpc.health.v1</c>) and reflection (<c>grpc.reflection.v1</c> and
    /// <c>v1alpha</c>). May be called by every service of a host; settings add up.
    /// </summary>
    /// <remarks>
    /// Defaults: received messages up to <see cref="GrpcLimits.MaxMessageSize"/>, no details of exceptions in statuses, compressed
    /// requests (gzip) accepted, responses not compressed unless <see cref="GrpcServiceOptions.ResponseCompressionAlgorithm"/> is
    /// set to <c>gzip</c>.
    /// </remarks>
    public static IServiceCollection AddGrpcServer(this IServiceCollection services, Action<GrpcServiceOptions>? configure = null)
    {
        services.AddInProcessGrpc();
        if (!services.Any(service => service.ServiceType == typeof(ServiceExposure)))
        {
            services.AddSingleton<ServiceExposure>();
            services.AddGrpcReflection();
            // A client that vanished without closing its connection would hold its streams for ever.
            services.Configure<KestrelServerOptions>(kestrel =>
            {
                kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
                kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
            });
            services.AddGrpcHealthChecks();
            // How soon those who watch the health of a service hear of a change.
            services.Configure<HealthCheckPublisherOptions>(publisher => publisher.Period = TimeSpan.FromSeconds(5));
        }

        if (configure is not null)
            services.Configure(configure);

        return services;
    }

    /// <summary>Adds the in-process channel alone. <see cref="AddGrpcServer"/> includes it.</summary>
    public static IServiceCollection AddInProcessGrpc(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(InProcessServer)))
            return services;

        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = GrpcLimits.MaxMessageSize;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<AmbientCallInterceptor>();
        });
        services.AddSingleton<AmbientCallInterceptor>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<InProcessServer>();
        return services;
    }

    /// <summary>
    /// Says from where each service of this host can be called; without it, all are offered both ways. The last call wins.
    /// </summary>
    /// <param name="exposure">From the full name of a service (<c>openwop.v1.Engine</c>) to where it is offered.</param>
    public static IServiceCollection ExposeGrpcServices(this IServiceCollection services, Func<string, GrpcExposure> exposure)
        => services.Configure<ServiceExposureOptions>(options => options.Exposure = exposure);

    /// <summary>
    /// Offers a service: over the network, in process, or both, as the host decided with <see cref="ExposeGrpcServices"/>.
    /// </summary>
    /// <returns>Conventions for the network endpoints. They do nothing for a service that is only reachable in process.</returns>
    public static IEndpointConventionBuilder MapServiceOverGrpc<TService>(this IEndpointRouteBuilder endpoints)
        where TService : class
        => endpoints.ServiceProvider.GetRequiredService<ServiceExposure>().Map<TService>(endpoints);

    /// <summary>
    /// Offers health and reflection (both versions) of the services that are exposed on the network. The health of a service comes
    /// from the host's health checks: those tagged with its full name and those without tags. At least one has to be registered.
    /// </summary>
    public static void MapGrpcHealthAndReflection(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcHealthChecksService();
        endpoints.MapGrpcReflectionService();
    }
}
