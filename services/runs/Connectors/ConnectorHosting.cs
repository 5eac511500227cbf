using OpenWop.Micro.Connectors;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Connectors;

/// <summary>The node types of a host: those of this assembly, and one for each connector that the host has registered.</summary>
internal static class ConnectorHosting
{
    public static IServiceCollection AddConnectorNodes(this IServiceCollection services)
    {
        services.AddConnectorSet();
        services.AddSingleton(provider => new NodeTypes(
        [
            .. provider.GetServices<INodeHandler>(),
            .. provider.GetServices<ConnectorRegistration>().Select(registration => new ConnectorNode(registration, provider)),
        ]));
        return services;
    }
}
