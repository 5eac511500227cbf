using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>States of a delivery.</summary>
internal static class DeliveryStatus
{
    public const string Pending = "pending";
    public const string Delivered = "delivered";

    /// <summary>A dead letter: given up, kept for a while, can be replayed.</summary>
    public const string Dead = "dead";
}

/// <summary>The next delivery of a lane.</summary>
/// <param name="Attempts">Attempts so far.</param>
internal sealed record PendingDelivery(string Id, string RunId, long Sequence, string EventType, byte[] Body, int Attempts)
{
    /// <summary>When the event was taken in.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>W3C context of the trace that the delivery belongs to; null = none.</summary>
    public string? Traceparent { get; init; }
}

/// <summary>The right to send what one run has for one subscription, for the time of a claim.</summary>
/// <param name="Token">Names this claim and no other.</param>
internal sealed record LaneClaim(Subscription Subscription, string RunId, string Token);

/// <summary>How an attempt went.</summary>
/// <param name="StatusCode">0 = there was no answer.</param>
/// <param name="Error">What was wrong; empty = delivered.</param>
internal sealed record Attempt(DateTimeOffset StartedAt, TimeSpan Duration, int StatusCode, string Error)
{
    public const string Timeout = "timeout";
    public const string Refused = "refused";
    public const string Unreachable = "unreachable";
    public const string BadStatus = "status";

    public bool Succeeded => Error.Length == 0;
}
