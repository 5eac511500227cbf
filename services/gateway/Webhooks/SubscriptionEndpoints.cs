using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>Webhooks on the gateway: registering them is part of the protocol, looking after them of the authoring plane.</summary>
internal static class SubscriptionEndpoints
{
    public static void AddWebhookOperations(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.Webhooks.WebhooksClient>(WebhookOperations.Service);
        builder.Services.AddSingleton<WebhookOperations>();
        builder.Services.AddSingleton<SubscriptionCalls>();
    }

    /// <summary>Serves them where the installation has the service: what nobody could answer is no route.</summary>
    public static void MapWebhookOperations(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<ServiceTopology>().Has(WebhookOperations.Service))
            return;

        var webhooks = app.Services.GetRequiredService<WebhookOperations>();
        app.MapOperation(Operations.RegisterWebhook, webhooks.RegisterAsync);
        app.MapOperation(Operations.UnregisterWebhook, webhooks.UnregisterAsync);

        var subscriptions = app.Services.GetRequiredService<SubscriptionCalls>();
        app.MapControl(SubscriptionOperations.List, subscriptions.ListAsync);
        app.MapControl(SubscriptionOperations.Get, subscriptions.GetAsync);
        app.MapControl(SubscriptionOperations.Rotate, subscriptions.RotateAsync);
        app.MapControl(SubscriptionOperations.Pause, subscriptions.PauseAsync);
        app.MapControl(SubscriptionOperations.Resume, subscriptions.ResumeAsync);
        app.MapControl(SubscriptionOperations.Test, subscriptions.TestAsync);
        app.MapControl(SubscriptionOperations.ListDeliveries, subscriptions.ListDeliveriesAsync);
        app.MapControl(SubscriptionOperations.GetDelivery, subscriptions.GetDeliveryAsync);
        app.MapControl(SubscriptionOperations.Replay, subscriptions.ReplayAsync);
    }
}
