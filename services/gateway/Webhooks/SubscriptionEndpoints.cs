using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Clients;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>Webhooks on the gateway: registering them is part of the protocol, looking after them of the authoring plane.</summary>
internal static class SubscriptionEndpoints
{
    private const string Root = "/api/webhooks/subscriptions";

    private static readonly Operation List = Scoped("listSubscriptions", HttpMethods.Get, Root);
    private static readonly Operation Get = Scoped("getSubscription", HttpMethods.Get, Root + "/{id}");
    private static readonly Operation Rotate = Scoped("rotateSubscriptionSecret", HttpMethods.Post, Root + "/{id}/rotate-secret");
    private static readonly Operation Pause = Scoped("pauseSubscription", HttpMethods.Post, Root + "/{id}/pause");
    private static readonly Operation Resume = Scoped("resumeSubscription", HttpMethods.Post, Root + "/{id}/resume");
    private static readonly Operation Test = Scoped("testSubscription", HttpMethods.Post, Root + "/{id}/test");
    private static readonly Operation ListDeliveries = Scoped("listDeliveries", HttpMethods.Get, Root + "/{id}/deliveries");
    private static readonly Operation GetDelivery = Scoped("getDelivery", HttpMethods.Get, Root + "/{id}/deliveries/{deliveryId}");
    private static readonly Operation Replay = Scoped("replayDelivery", HttpMethods.Post, Root + "/{id}/deliveries/{deliveryId}/replay");

    public static void AddWebhookOperations(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.Webhooks.WebhooksClient>(WebhookOperations.Service);
        builder.Services.AddSingleton<WebhookOperations>();
        builder.Services.AddSingleton<SubscriptionCalls>();
    }

    public static void MapWebhookOperations(this WebApplication app)
    {
        var webhooks = app.Services.GetRequiredService<WebhookOperations>();
        app.MapOperation(Operations.RegisterWebhook, webhooks.RegisterAsync);
        app.MapOperation(Operations.UnregisterWebhook, webhooks.UnregisterAsync);

        var subscriptions = app.Services.GetRequiredService<SubscriptionCalls>();
        app.MapControl(List, subscriptions.ListAsync);
        app.MapControl(Get, subscriptions.GetAsync);
        app.MapControl(Rotate, subscriptions.RotateAsync);
        app.MapControl(Pause, subscriptions.PauseAsync);
        app.MapControl(Resume, subscriptions.ResumeAsync);
        app.MapControl(Test, subscriptions.TestAsync);
        app.MapControl(ListDeliveries, subscriptions.ListDeliveriesAsync);
        app.MapControl(GetDelivery, subscriptions.GetDeliveryAsync);
        app.MapControl(Replay, subscriptions.ReplayAsync);
    }

    private static Operation Scoped(string id, string method, string route) => new(id, method, route) { Successes = [], Scopes = [ScopeNames.WebhooksManage] };
}
