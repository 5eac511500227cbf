using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clocks;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.ServiceDefaults.Health;
using OpenWop.Micro.ServiceDefaults.Hosting;
using OpenWop.Micro.ServiceDefaults.Logging;
using OpenWop.Micro.ServiceDefaults.Telemetry;
using OpenWop.Micro.ServiceDefaults.Tls;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.ServiceDefaults;

/// <summary>
/// What every process of an installation starts with: configuration, logging, telemetry, health, callers that prove who they are, and
/// an orderly shutdown.
/// </summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>
    /// How long a host may take to drain. SIGTERM is expected to end the process within 10 seconds; the rest is for the runtime.
    /// </summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(8);

    /// <summary>Call once per process, before the <c>Add…</c> methods of the services that live in it.</summary>
    /// <param name="service">Name of the process in logs, traces and calls to other services: a service name, or <c>standalone</c>.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, string service)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(service);

        builder.UseDefaultAddress(service);
        builder.AddServiceLogging();
        builder.AddServiceTelemetry(service);

        builder.Services.TryAddSingleton(WrongClock.OrRight(builder.Configuration));
        builder.Services.AddSingleton<ServiceTopology>();
        builder.Services.AddServiceHealth();

        var hosted = builder.Services.Hosted();
        builder.Services.AddSingleton<CallScopeInterceptor>();
        builder.Services.AddGrpcServer(grpc => grpc.Interceptors.Add<CallScopeInterceptor>());
        builder.Services.AddGrpcServer(grpc => grpc.Interceptors.Add<ProtocolErrorInterceptor>());
        builder.Services.AddSingleton<ProtocolErrorInterceptor>();
        builder.AddCallers(service);
        builder.Services.ExposeGrpcServices(grpcService => ServiceExposureRule.ExposureOf(grpcService, hosted));

        builder.Services.AddSingleton<OrderlyDisposal.Ending>();
        builder.Services.AddHostedService<OrderlyDisposal>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.WebHost.UseSharedPorts();
        builder.AddServiceTls(hosted);
        return builder;
    }

    /// <summary>Serves <c>/healthz</c>, <c>/readyz</c>, <c>grpc.health.v1</c> and gRPC reflection.</summary>
    public static WebApplication MapServiceDefaults(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceHealth();
        app.MapGrpcHealthAndReflection();
        return app;
    }
}
