using System.Collections.Frozen;
using System.Security.Cryptography;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Webhooks;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Signing;
using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>A subscription and its secret, which is shown this once.</summary>
internal sealed record Registered(Subscription Subscription, string Secret, bool IsReplay = false);

/// <summary>
/// Makes subscriptions and changes their secrets:
/// <list type="number">
/// <item>the body and the URL are checked; names are resolved and checked again with every delivery;</item>
/// <item>the heads of the feed are asked for: what is committed from now on is delivered;</item>
/// <item>secret and subscription are stored. The same request id answers with what it has made before.</item>
/// </list>
/// </summary>
internal sealed class Registrar(SubscriptionStore store, Feed.FeedClient feed, SubscriptionSecrets secrets, WebhookOptions options, TimeProvider clock)
{
    public async Task<Registered> RegisterAsync(
        SubscriptionOwner owner, ReadOnlyMemory<byte> utf8, string? requestId, CancellationToken cancellationToken)
    {
        // 1.
        if (!RegisterWebhookBody.TryParse(utf8.Span, out var body, out var error))
            throw new ProtocolException(error);

        if (options.Egress.Check(body.Url) is { } denial)
            throw new ProtocolException(SubscriptionErrors.Rejected(denial));

        if (requestId is not null && await store.FindByRequestAsync(owner.Tenant, requestId, cancellationToken) is { } before)
            return Repeated(before);

        // 2.
        var heads = await feed.GetHeadsAsync(new GetHeadsRequest(), cancellationToken: cancellationToken);

        // 3.
        var id = "wh_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var secret = body.Secret ?? WebhookSecret.Create();
        var subscription = new Subscription
        {
            Id = id,
            Owner = owner,
            Url = body.Url.AbsoluteUri,
            Filter = new SubscriptionFilter(owner.Tenant, body.Events.ToFrozenSet(StringComparer.Ordinal), body.Tags.ToFrozenSet(StringComparer.Ordinal)),
            Secret = secrets.Seal(id, secret),
            Fingerprint = WebhookSecret.Fingerprint(secret),
            Positions = [.. heads.Positions],
            CreatedAt = clock.GetUtcNow(),
        };
        return await store.InsertAsync(subscription, requestId, cancellationToken) switch
        {
            InsertOutcome.Stored => new Registered(subscription, secret),
            InsertOutcome.Full => throw new ProtocolException(SubscriptionErrors.LimitReached(options.MaxPerTenant)),
            _ => Repeated((await store.FindByRequestAsync(owner.Tenant, requestId!, cancellationToken))!),
        };
    }

    /// <summary>A new secret; the former one signs too for the time of the overlap. The same request again answers with the same secret.</summary>
    public async Task<Registered> RotateAsync(Subscription subscription, TimeSpan overlap, string? requestId, CancellationToken cancellationToken)
    {
        var secret = WebhookSecret.Create();
        var rotated = await store.SetSecretAsync(
            subscription, secrets.Seal(subscription.Id, secret), WebhookSecret.Fingerprint(secret), clock.GetUtcNow() + overlap, requestId, cancellationToken);
        return rotated is null ? throw new ProtocolException(SubscriptionErrors.NotFound) : Repeated(rotated);
    }

    private Registered Repeated(Subscription before) => new(before, secrets.Open(before.Id, before.Secret), IsReplay: true);
}
