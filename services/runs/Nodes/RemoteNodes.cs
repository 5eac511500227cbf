using OpenWop.Micro.Runs.A2a;
using OpenWop.Micro.Runs.Mcp;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Node types that exist where the operator has named somebody to talk to: what nobody can do is not offered.</summary>
internal static class RemoteNodes
{
    public static IServiceCollection AddRemoteNodes(this IServiceCollection services, IConfiguration configuration)
    {
        var servers = McpServers.Read(configuration);
        services.AddSingleton(servers);
        services.AddSingleton<McpConnections>();
        services.AddSingleton<McpTools>();
        if (servers.All.Count > 0)
            services.AddSingleton<INodeHandler, McpToolCallNode>();

        if (A2aPeer.Read(configuration) is { } peer)
        {
            services.AddSingleton(_ => peer);
            services.AddSingleton<INodeHandler, A2aInvokeNode>();
        }

        return services;
    }
}
