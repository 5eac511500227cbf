using OpenWop.Micro.Egress;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>Refusals of the service.</summary>
internal static class SubscriptionErrors
{
    public static ProtocolError NotFound { get; } = ProtocolError.NotFound("webhook");

    public static ProtocolError NoDelivery { get; } = ProtocolError.NotFound("delivery");

    public static ProtocolError Failed { get; } = new(ErrorCodes.WebhookFailed, "The webhook has failed for good; register its URL anew.");

    public static ProtocolError NotDead { get; } = new(ErrorCodes.DeliveryNotDead, "Only a dead letter can be replayed.");

    public static ProtocolError Rejected(EgressDenial denial) => new(ErrorCodes.WebhookUrlRejected, denial.Reason, new() { ["field"] = "url" });

    public static ProtocolError LimitReached(long limit) => new(ErrorCodes.WebhookLimitReached, $"A tenant may have at most {limit} webhooks.");
}
