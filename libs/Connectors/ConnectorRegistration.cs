using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors;

/// <summary>What one attempt of a block does: <see cref="IConnector.RunAsync"/>.</summary>
public delegate Task<JsonElement> ConnectorAction(ConnectorCall call, CancellationToken cancellationToken);

/// <summary>A block type that a host has registered.</summary>
/// <param name="Make">Makes the connector when it is first executed: services that only show it never do.</param>
public sealed record ConnectorRegistration(Connector Description, Func<IServiceProvider, ConnectorAction> Make);

/// <summary>Registration of block types.</summary>
public static class ConnectorRegistrations
{
    /// <summary>
    /// Adds a block type to the host, after the built-in ones. Every process of an installation that has the workflows or the runs service
    /// registers the same ones.
    /// </summary>
    public static IServiceCollection AddConnector<TConnector>(this IServiceCollection services)
        where TConnector : class, IConnector
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<TConnector>();
        services.AddSingleton(new ConnectorRegistration(TConnector.Description, provider => provider.GetRequiredService<TConnector>().RunAsync));
        return services;
    }

    /// <summary>Adds the set of block types, which services share.</summary>
    public static IServiceCollection AddConnectorSet(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(provider => new ConnectorSet(provider.GetServices<ConnectorRegistration>().Select(registration => registration.Description)));
        return services;
    }
}
