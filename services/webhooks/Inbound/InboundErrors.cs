using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Refusals.</summary>
internal static class InboundErrors
{
    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("webhook");

    public static ProtocolError NoWorkflow { get; } = new(ErrorCodes.WorkflowNotFound, "The workflow does not exist.");

    public static ProtocolError Taken { get; } = new(ErrorCodes.WebhookPathTaken, "There is a webhook with this path.");

    /// <summary>Tells nobody what is wrong.</summary>
    public static ProtocolError NotSigned { get; } = new(ErrorCodes.Unauthenticated, "The delivery is not signed as it has to be.");

    public static ProtocolError WorkflowGone { get; } = new(ErrorCodes.WorkflowDeleted, "The workflow that the webhook starts is gone.");

    public static ProtocolError TooLarge(int limit) => new(ErrorCodes.PayloadTooLarge, $"A delivery may have at most {limit} bytes.");

    public static ProtocolError TooMany(TimeSpan wait) => new(
        ErrorCodes.RateLimited, "The webhook has used up its deliveries for now.", new() { ["retryAfterMs"] = (long)Math.Ceiling(wait.TotalMilliseconds) });

    public static ProtocolError Body(string message, string? field = null) => ProtocolError.Validation(message, field);

    public static ProtocolError LimitReached(long limit) => new(ErrorCodes.WebhookLimitReached, $"A tenant may have at most {limit} inbound webhooks.");
}
