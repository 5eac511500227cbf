using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>The part of the service that starts runs because of events.</summary>
internal static class TriggerHosting
{
    public static void AddTriggers(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton(TriggerOptions.From(builder.Configuration));
        services.AddSingleton<TriggerStore>();
        services.AddSingleton<FiringStore>();
        services.AddSingleton<TriggerEditor>();
        services.AddSingleton<RunStarter>();
        services.AddHostedService(provider => provider.GetRequiredService<RunStarter>());
        services.AddHostedService<HistorySweeper>();
    }

    public static void MapTriggers(this WebApplication app) => app.MapServiceOverGrpc<TriggersGrpcService>();
}
