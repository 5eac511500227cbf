using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using ScopeNames = OpenWop.Micro.Protocol.Security.Scopes;

namespace OpenWop.Micro.Gateway.InboundWebhooks;

/// <summary>The operations of inbound webhooks; rows of the authoring plane's table.</summary>
internal static class InboundWebhookOperations
{
    public static readonly Operation Create = new("createInboundWebhook", HttpMethods.Post, "/api/webhooks")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Makes a URL at which another system starts runs of a workflow. The answer shows the secret that it signs with, this once.",
        Body = "CreateInboundWebhookRequest",
        Successes = [new(201, "The webhook and its secret.", "InboundWebhookWithSecret")],
        Errors = [ErrorCodes.WorkflowNotFound, ErrorCodes.WebhookPathTaken, ErrorCodes.WebhookLimitReached],
    };

    public static readonly Operation List = new("listInboundWebhooks", HttpMethods.Get, "/api/webhooks")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The inbound webhooks of the organization.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "InboundWebhookPage")],
        Errors = [ErrorCodes.ValidationError],
    };

    public static readonly Operation Get = new("getInboundWebhook", HttpMethods.Get, "/api/webhooks/{id}")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "An inbound webhook.",
        Successes = [new(200, "The webhook.", "InboundWebhook")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation Update = new("updateInboundWebhook", HttpMethods.Patch, "/api/webhooks/{id}")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Changes the members that the body has; null takes one away. Another path is another URL, under the same token.",
        Body = "UpdateInboundWebhookRequest",
        Successes = [new(200, "The webhook.", "InboundWebhook")],
        Errors = [ErrorCodes.NotFound, ErrorCodes.WorkflowNotFound, ErrorCodes.WebhookPathTaken],
    };

    public static readonly Operation ListDeliveries = new("listInboundDeliveries", HttpMethods.Get, "/api/webhooks/{id}/deliveries")
    {
        Scopes = [ScopeNames.ManifestRead],
        Summary = "The deliveries that an inbound webhook has accepted, newest first.",
        Parameters = ["Limit", "After"],
        Successes = [new(200, "A page of them.", "AcceptedDeliveryPage")],
        Errors = [ErrorCodes.ValidationError, ErrorCodes.NotFound],
    };

    public static readonly Operation Delete = new("deleteInboundWebhook", HttpMethods.Delete, "/api/webhooks/{id}")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Removes an inbound webhook. Its URL never becomes somebody else's.",
        Successes = [new(204, "The webhook is gone.")],
        Errors = [ErrorCodes.NotFound],
    };

    public static readonly Operation RotateSecret = new("rotateInboundSecret", HttpMethods.Post, "/api/webhooks/{id}/rotate-secret")
    {
        Scopes = [ScopeNames.WebhooksManage],
        Summary = "Replaces the secret of an inbound webhook; the one before stays good for a while. The answer shows the new one, this once.",
        Body = "RotateInboundSecretRequest",
        BodyRequired = false,
        Successes = [new(200, "The webhook and its new secret.", "InboundWebhookWithSecret")],
        Errors = [ErrorCodes.NotFound],
    };

    /// <summary>Open to everybody: whoever has the secret signs.</summary>
    public static readonly Operation Deliver = new("deliverInboundWebhook", HttpMethods.Post, "/api/hooks/{token}/{**path}")
    {
        Summary = "What the other system sends, at the URL of the webhook: signed as the webhook's scheme says; JSON, a form, or nothing.",
        Body = "AnyJson",
        BodyRequired = false,
        Successes =
        [
            new(200, "The run is over (a webhook that waits), or the delivery was taken before.", "DeliveryResult"),
            new(202, "The run was made.", "DeliveryResult"),
        ],
        Errors =
        [
            ErrorCodes.ValidationError, ErrorCodes.Unauthenticated, ErrorCodes.NotFound, ErrorCodes.WorkflowDeleted, ErrorCodes.PayloadTooLarge, ErrorCodes.RateLimited,
        ],
    };
}
