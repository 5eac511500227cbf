using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Clients;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.InboundWebhooks;

/// <summary>Inbound webhooks on the gateway; rows of the authoring plane's table.</summary>
internal static class InboundWebhookEndpoints
{
    public const string Service = "webhooks";

    private static readonly Operation Create = Scoped("createInboundWebhook", HttpMethods.Post, "/api/webhooks", ScopeNames.WebhooksManage);
    private static readonly Operation List = Scoped("listInboundWebhooks", HttpMethods.Get, "/api/webhooks", ScopeNames.ManifestRead);
    private static readonly Operation Get = Scoped("getInboundWebhook", HttpMethods.Get, "/api/webhooks/{id}", ScopeNames.ManifestRead);
    private static readonly Operation Update = Scoped("updateInboundWebhook", HttpMethods.Patch, "/api/webhooks/{id}", ScopeNames.WebhooksManage);
    private static readonly Operation ListDeliveries =
        Scoped("listInboundDeliveries", HttpMethods.Get, "/api/webhooks/{id}/deliveries", ScopeNames.ManifestRead);
    private static readonly Operation Delete = Scoped("deleteInboundWebhook", HttpMethods.Delete, "/api/webhooks/{id}", ScopeNames.WebhooksManage);
    private static readonly Operation RotateSecret =
        Scoped("rotateInboundSecret", HttpMethods.Post, "/api/webhooks/{id}/rotate-secret", ScopeNames.WebhooksManage);

    /// <summary>Open to everybody: whoever has the secret signs.</summary>
    private static readonly Operation Deliver = new("deliverInboundWebhook", HttpMethods.Post, "/api/hooks/{token}/{**path}") { Successes = [] };

    public static void AddInboundWebhooks(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.InboundWebhooks.InboundWebhooksClient>(Service);
        builder.Services.AddSingleton<InboundWebhookCalls>();
        builder.Services.AddSingleton<PublicDelivery>();
    }

    public static void MapInboundWebhooks(this WebApplication app)
    {
        var webhooks = app.Services.GetRequiredService<InboundWebhookCalls>();
        app.MapControl(Create, webhooks.CreateAsync);
        app.MapControl(List, webhooks.ListAsync);
        app.MapControl(Get, webhooks.GetAsync);
        app.MapControl(Update, webhooks.UpdateAsync);
        app.MapControl(ListDeliveries, webhooks.ListDeliveriesAsync);
        app.MapControl(Delete, webhooks.DeleteAsync);
        app.MapControl(RotateSecret, webhooks.RotateSecretAsync);
        app.MapControl(Deliver, app.Services.GetRequiredService<PublicDelivery>().ReceiveAsync);
    }

    private static Operation Scoped(string id, string method, string route, string scope) => new(id, method, route) { Successes = [], Scopes = [scope] };
}
