using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Api;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Inbound;
using OpenWop.Micro.Webhooks.Intake;
using OpenWop.Micro.Webhooks.Retention;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Subscriptions;
using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks;

/// <summary>The webhooks service: tells other systems of what happens in runs, and starts runs because of what happens elsewhere or in others.</summary>
public static class WebhooksHosting
{
    internal const string Service = "webhooks";

    /// <summary>Adds the service to a host.</summary>
    public static WebApplicationBuilder AddWebhooks(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.HostService(Service);
        builder.AddServiceClient<Feed.FeedClient>("runs");
        services.AddGrpcServer();
        services.AddEventBus();
        services.TryAddSingleton(TimeProvider.System);
        services.AddServiceDatabase(
            Service,
            DatabaseOptions.ForService(Service, builder.Configuration, builder.Configuration.DataDirectory()),
            typeof(WebhooksHosting).Assembly);
        services.AddSingleton(WebhookOptions.From(builder.Configuration));
        services.AddSingleton<SubscriptionStore>();
        services.AddSingleton<DeliveryHistory>();
        services.AddSingleton<LaneStore>();
        services.AddSingleton<Settlements>();
        services.AddSingleton<IntakeStore>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Registrar>(provider, SealOf(provider)));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<DeliverySender>(provider, SealOf(provider)));
        services.AddSingleton<Dispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<Dispatcher>());
        services.AddHostedService<FeedFollower>();
        services.AddSingleton<Sweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<Sweeper>());
        builder.AddInbound();
        builder.AddTriggers();
        return builder;
    }

    /// <summary>Maps the service's gRPC face.</summary>
    public static WebApplication MapWebhooks(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceOverGrpc<WebhooksGrpcService>();
        app.MapInbound();
        app.MapTriggers();
        return app;
    }

    /// <summary>Other services of the process may seal for purposes of their own.</summary>
    private static SecretSeal SealOf(IServiceProvider provider) => new(SealingKeys.Load(
        provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<ServiceSecret>(), "webhook secrets"));
}
