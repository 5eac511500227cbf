using OpenWop.Micro.Gateway;
using OpenWop.Micro.Identity;
using OpenWop.Micro.Runs;
using OpenWop.Micro.Scheduler;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.Webhooks;
using OpenWop.Micro.Workflows;

namespace OpenWop.Micro.Standalone;

/// <summary>
/// All services in one process. Each is added and mapped as in a process of its own; that they call each other in memory instead of
/// over the network is the only difference.
/// </summary>
public static class StandaloneHost
{
    public static async Task<int> RunAsync(string[] args)
    {
        await using var app = Create(args);
        await app.RunAsync();
        return 0;
    }

    /// <param name="configure">Adds to the host: connectors, and what they need (docs/connectors.md).</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddServiceDefaults("standalone");
        builder.AddIdentity();
        builder.AddWorkflows();
        builder.AddRuns();
        builder.AddScheduler();
        builder.AddWebhooks();
        builder.AddGateway();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseGateway();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapWorkflows();
        app.MapRuns();
        app.MapScheduler();
        app.MapWebhooks();
        app.MapGateway();
        return app;
    }
}
