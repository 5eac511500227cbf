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
using OpenWop.Micro.Webhooks.Telemetry;
using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks;

/// <summary>The webhooks service: tells other systems of what happens in runs, and starts runs because of what happens elsewhere or in others.</summary>
public static class WebhooksHosting
{
    internal const string Service = "webhooks";

    /// <summary>Key of the time in which attempts run out.</summary>
    internal const string NetworkTime = "network";

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
        services.TryAddKeyedSingleton(NetworkTime, TimeProvider.System);
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
        services.AddSingleton<SetBackFeed>();
        services.AddSingleton(provider => SecretsOf(SealingKeys.Load(
            provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<ServiceSecret>(), "webhook secrets")));
        services.AddSingleton<Registrar>();
        services.AddSingleton<DeliverySender>();
        services.AddSingleton<WebhookMetrics>();
        services.AddHostedService<QueueProbe>();
        services.AddHostedService<SubscriptionSecretRotation>();
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

    private static SubscriptionSecrets SecretsOf(SealingKeys keys) => new(new SecretSeal(keys), keys);
}
