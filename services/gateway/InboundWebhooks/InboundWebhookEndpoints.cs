using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway.InboundWebhooks;

/// <summary>Inbound webhooks on the gateway.</summary>
internal static class InboundWebhookEndpoints
{
    public const string Service = "webhooks";

    public static void AddInboundWebhooks(this WebApplicationBuilder builder)
    {
        builder.AddServiceClient<Contracts.Webhooks.V1.InboundWebhooks.InboundWebhooksClient>(Service);
        builder.Services.AddSingleton<InboundWebhookCalls>();
        builder.Services.AddSingleton<PublicDelivery>();
    }

    /// <summary>Serves them where the installation has the service: what nobody could answer is no route.</summary>
    public static void MapInboundWebhooks(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<ServiceTopology>().Has(Service))
            return;

        var webhooks = app.Services.GetRequiredService<InboundWebhookCalls>();
        app.MapControl(InboundWebhookOperations.Create, webhooks.CreateAsync);
        app.MapControl(InboundWebhookOperations.List, webhooks.ListAsync);
        app.MapControl(InboundWebhookOperations.Get, webhooks.GetAsync);
        app.MapControl(InboundWebhookOperations.Update, webhooks.UpdateAsync);
        app.MapControl(InboundWebhookOperations.ListDeliveries, webhooks.ListDeliveriesAsync);
        app.MapControl(InboundWebhookOperations.Delete, webhooks.DeleteAsync);
        app.MapControl(InboundWebhookOperations.RotateSecret, webhooks.RotateSecretAsync);
        app.MapControl(InboundWebhookOperations.Deliver, app.Services.GetRequiredService<PublicDelivery>().ReceiveAsync);
    }
}
