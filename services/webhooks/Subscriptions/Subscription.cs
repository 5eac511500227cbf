using System.Collections.Immutable;
using OpenWop.Micro.Webhooks.Delivery;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>Whose subscriptions a call is about: tenant and mode of the token.</summary>
internal readonly record struct SubscriptionOwner(string Tenant, bool IsTest);

/// <summary>States of a subscription.</summary>
internal static class SubscriptionStatus
{
    public const string Active = "active";

    /// <summary>Nothing is sent; what happens is kept.</summary>
    public const string Paused = "paused";

    /// <summary>Nothing is sent or kept any more.</summary>
    public const string Failed = "failed";
}

/// <summary>A URL that wants to hear of events.</summary>
internal sealed record Subscription
{
    public required string Id { get; init; }

    public required SubscriptionOwner Owner { get; init; }

    public required string Url { get; init; }

    public required SubscriptionFilter Filter { get; init; }

    /// <summary>The secret, sealed for <see cref="Id"/>.</summary>
    public required byte[] Secret { get; init; }

    public required string Fingerprint { get; init; }

    /// <summary>The secret before a rotation, sealed; signs until <see cref="PreviousUntil"/>.</summary>
    public byte[]? PreviousSecret { get; init; }

    public DateTimeOffset? PreviousUntil { get; init; }

    /// <summary>Where the shards of the feed stood when the subscription was made; it sees what came after.</summary>
    public required ImmutableArray<long> Positions { get; init; }

    public string Status { get; init; } = SubscriptionStatus.Active;

    public CircuitBreaker Circuit { get; init; } = CircuitBreaker.New;

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether an event is one that the subscription sees; a shard that was not there yet has none from before.</summary>
    public bool Sees(int shard, long position) => shard >= Positions.Length || position > Positions[shard];
}
