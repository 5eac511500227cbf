using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>The operations of looking after webhooks; rows of the authoring plane's table.</summary>
internal static class SubscriptionOperations
{
    private const string Root = "/api/webhooks/subscriptions";

    public static readonly Operation List = new("listSubscriptions", HttpMethods.Get, Root)
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "The webhooks that were registered at /v1/webhooks.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "SubscriptionPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation Get = new("getSubscription", HttpMethods.Get, Root + "/{id}")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "A webhook, and how many deliveries it still has to get.",
        Successes = [new(200, "The webhook.", "Subscription")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Rotate = new("rotateSubscriptionSecret", HttpMethods.Post, Root + "/{id}/rotate-secret")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Replaces the secret that signs deliveries; for a while both sign. The answer shows the new one, this once.",
        Body = "OverlapRequest",
        BodyRequired = false,
        Successes = [new(200, "The webhook and its new secret.", "SubscriptionWithSecret")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Pause = new("pauseSubscription", HttpMethods.Post, Root + "/{id}/pause")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Holds the deliveries of a webhook back.",
        Successes = [new(200, "The webhook.", "Subscription")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.WebhookFailed],
    };

    public static readonly Operation Resume = new("resumeSubscription", HttpMethods.Post, Root + "/{id}/resume")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Sends what was held back.",
        Successes = [new(200, "The webhook.", "Subscription")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.WebhookFailed],
    };

    public static readonly Operation Test = new("testSubscription", HttpMethods.Post, Root + "/{id}/test")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Sends a delivery that says nothing.",
        Successes = [new(202, "The delivery.", "Delivery")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.WebhookFailed],
    };

    public static readonly Operation ListDeliveries = new("listDeliveries", HttpMethods.Get, Root + "/{id}/deliveries")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "The deliveries of a webhook, newest first.",
        Parameters = ["DeliveryStatus", "Limit", "After"],
        Successes = [new(200, "A page of them.", "DeliveryPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation GetDelivery = new("getDelivery", HttpMethods.Get, Root + "/{id}/deliveries/{deliveryId}")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "A delivery with its body and every attempt.",
        Successes = [new(200, "The delivery.", "WholeDelivery")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Replay = new("replayDelivery", HttpMethods.Post, Root + "/{id}/deliveries/{deliveryId}/replay")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Sends a dead letter again.",
        Successes = [new(202, "The delivery.", "Delivery")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.DeliveryNotDead, ErrorCodes.WebhookFailed],
    };
}
