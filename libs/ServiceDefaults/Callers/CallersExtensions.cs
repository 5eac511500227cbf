using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>Makes a host demand internal tokens from its callers, and send its own to the services that it calls.</summary>
public static class CallersExtensions
{
    /// <summary>Keeps API keys verified for an edge: <see cref="KeyVerifier"/>.</summary>
    public static WebApplicationBuilder AddKeyVerifier(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddEventBus();
        builder.Services.AddSingleton<KeyVerifier>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<KeyVerifier>());
        return builder;
    }

    /// <summary>Part of the service defaults of every process.</summary>
    /// <param name="service">The name that this process calls other services by.</param>
    internal static WebApplicationBuilder AddCallers(this WebApplicationBuilder builder, string service)
    {
        var services = builder.Services;
        builder.AddServiceClient<Identity.IdentityClient>("identity");
        services.AddSingleton(provider => new ServiceSecret(builder.Configuration, provider.GetRequiredService<HostedServices>()));
        services.AddSingleton(provider => new ServiceTokens(
            service,
            provider.GetRequiredService<Identity.IdentityClient>(),
            provider.GetRequiredService<ServiceSecret>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ServiceTokens>>()));
        services.AddHostedService(provider => provider.GetRequiredService<ServiceTokens>());

        // Lazily: the tokens come through a client that has this interceptor itself.
        services.AddSingleton(provider => new ServiceTokenInterceptor(new Lazy<ServiceTokens>(provider.GetRequiredService<ServiceTokens>)));

        services.ConfigureAll<ServiceGrpcClientOptions>(client => client.Interceptors.Add(provider => provider.GetRequiredService<ServiceTokenInterceptor>()));

        services.AddSingleton<SigningKeyCache>();
        services.AddSingleton<TokenVerifier>();
        services.AddSingleton<CallerInterceptor>();
        services.AddGrpcServer(grpc => grpc.Interceptors.Add<CallerInterceptor>());
        return builder;
    }
}
