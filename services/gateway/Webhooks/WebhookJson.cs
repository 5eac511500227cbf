using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Gateway.Control;

namespace OpenWop.Micro.Gateway.Webhooks;

/// <summary>Messages of the webhooks service as documents of the authoring plane.</summary>
internal static class WebhookJson
{
    public static JsonObject Subscription(Subscription subscription) => new JsonObject
    {
        ["id"] = subscription.WebhookId,
        ["url"] = subscription.Url,
        ["events"] = Texts(subscription.Events),
        ["tags"] = Texts(subscription.Tags),
        ["status"] = subscription.Status,
        ["circuit"] = subscription.Circuit,
        ["consecutiveFailures"] = subscription.ConsecutiveFailures,
        ["secretFingerprint"] = subscription.SecretFingerprint,
    }
        .With("previousSecretUntil", ControlJson.Time(subscription.PreviousSecretUntil))
        .With("createdAt", ControlJson.Time(subscription.CreatedAt));

    public static JsonObject Delivery(Delivery delivery) => new JsonObject
    {
        ["id"] = delivery.DeliveryId,
        ["runId"] = delivery.RunId,
        ["sequence"] = delivery.Sequence,
        ["type"] = delivery.EventType,
        ["status"] = delivery.Status,
        ["attempts"] = delivery.AttemptCount,
    }
        .With("createdAt", ControlJson.Time(delivery.CreatedAt))
        .With("settledAt", ControlJson.Time(delivery.SettledAt));

    /// <summary>With the body as text, byte for byte what is signed, and every attempt.</summary>
    public static JsonObject Whole(Delivery delivery)
    {
        var document = Delivery(delivery);
        document["body"] = delivery.Body.ToStringUtf8();
        document["attempts"] = new JsonArray([.. delivery.Attempts.Select(Attempt)]);
        return document;
    }

    private static JsonObject Attempt(Attempt attempt) => new JsonObject
    {
        ["number"] = attempt.Number,
        ["durationMs"] = attempt.DurationMs,
        ["outcome"] = attempt.Error.Length == 0 ? "delivered" : attempt.Error,
    }
        .With("startedAt", ControlJson.Time(attempt.StartedAt))
        .With("statusCode", attempt.StatusCode == 0 ? null : attempt.StatusCode);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
