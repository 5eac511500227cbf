using System.Text;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Subscriptions;
using SubscriptionMessage = OpenWop.Micro.Contracts.Webhooks.V1.Subscription;

namespace OpenWop.Micro.Webhooks.Api;

/// <summary>Subscriptions and test deliveries as messages.</summary>
internal static class SubscriptionMessages
{
    public const string TestEvent = "webhook.test";

    public static SubscriptionMessage Of(Subscription subscription, DateTimeOffset now) => new()
    {
        WebhookId = subscription.Id,
        Url = subscription.Url,
        Events = { subscription.Filter.Events.Order(StringComparer.Ordinal) },
        Tags = { subscription.Filter.Tags.Order(StringComparer.Ordinal) },
        Status = subscription.Status,
        Circuit = subscription.Circuit.StateAt(now) switch
        {
            CircuitState.Closed => "closed",
            CircuitState.HalfOpen => "half-open",
            _ => "open",
        },
        SecretFingerprint = subscription.Fingerprint,
        PreviousSecretUntil = subscription.PreviousUntil is { } until && until > now ? until.ToUnixTimeMilliseconds() : 0,
        ConsecutiveFailures = subscription.Circuit.ConsecutiveFailures,
        CreatedAt = subscription.CreatedAt.ToUnixTimeMilliseconds(),
    };

    /// <summary>A delivery in the form of all others, of a run that does not exist.</summary>
    public static PendingDelivery Test(Subscription subscription, DateTimeOffset now)
    {
        var runId = "test-" + Guid.NewGuid().ToString("n");
        var timestamp = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var document = $$"""{"eventId":"evt-{{runId}}-0","runId":"{{runId}}","type":"{{TestEvent}}","payload":{"webhookId":"{{subscription.Id}}"},"timestamp":"{{timestamp}}","sequence":0}""";
        return new PendingDelivery(
            DeliveryBody.IdOf(subscription.Id, runId, 0), runId, 0, TestEvent, DeliveryBody.Write(runId, subscription.Owner.Tenant, TestEvent, Encoding.UTF8.GetBytes(document)), Attempts: 0);
    }
}
