using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Grpc.Server;

namespace OpenWop.Micro.Grpc.Client;

/// <summary>Registration of clients for the services of the suite.</summary>
public static class ServiceGrpcClientExtensions
{
    /// <summary>
    /// Adds a generated client. Its calls go through the in-process channel when the service lives in this host and over the
    /// network otherwise; which one is decided when a call is made, so the order of registration does not matter.
    /// </summary>
    /// <typeparam name="TClient">A generated client; registered as a singleton, it is safe for concurrent use.</typeparam>
    /// <param name="name">The name of the service: it names the options and the connections, which clients of one name share.</param>
    public static IServiceCollection AddServiceGrpcClient<TClient>(
        this IServiceCollection services, string name, Action<ServiceGrpcClientOptions>? configure = null)
        where TClient : ClientBase<TClient>
    {
        services.AddInProcessGrpc();
        services.TryAddSingleton<ServiceChannels>();
        services.TryAddSingleton<PeerChannels>();
        if (configure is not null)
            services.Configure(name, configure);

        services.TryAddSingleton(provider => (TClient)Activator.CreateInstance(
            typeof(TClient), provider.GetRequiredService<ServiceChannels>().Get(name))!);
        return services;
    }
}
