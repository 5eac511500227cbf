using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Webhooks;

/// <summary>A URL that was subscribed.</summary>
/// <param name="WebhookId">The id of the subscription.</param>
/// <param name="Secret">What deliveries are signed with, exactly as <see cref="WebhookSignature"/> takes it; shown only here.</param>
/// <param name="SecretFingerprint">Eight hex digits by which the secret can be recognized.</param>
public sealed record CreatedSubscription(string WebhookId, string Secret, string SecretFingerprint, string SignatureAlgorithm);

/// <summary>A URL that the server posts events to.</summary>
public sealed record WebhookSubscription
{
    /// <summary>The id of the subscription.</summary>
    public required string Id { get; init; }

    /// <summary>Where events are posted to.</summary>
    public required string Url { get; init; }

    /// <summary>Exact names of types of events.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>Only runs that have one of them; empty = all runs.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary><c>active</c>, <c>paused</c>, or <c>failed</c>: nothing is sent any more, subscribe anew.</summary>
    public string? Status { get; init; }

    /// <summary>Whether something is sent at all after failures in a row: <c>closed</c>, <c>open</c> or <c>half-open</c>.</summary>
    public string? Circuit { get; init; }

    /// <summary>Deliveries that failed since the last one that did not; four open the circuit.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>Eight hex digits by which the secret can be recognized.</summary>
    public string? SecretFingerprint { get; init; }

    /// <summary>Only in the answer to a rotation.</summary>
    public string? Secret { get; init; }

    /// <summary>Until when the secret before signs as well.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>How many deliveries wait; only where one subscription is read.</summary>
    public long? Pending { get; init; }
}

/// <summary>An event for a subscription.</summary>
public sealed record WebhookDelivery
{
    /// <summary>The same for every attempt and every repetition.</summary>
    public required string Id { get; init; }

    /// <summary>The run whose event it is; absent for a test.</summary>
    public string? RunId { get; init; }

    /// <summary>The sequence of the event.</summary>
    public long Sequence { get; init; }

    /// <summary>The type of the event.</summary>
    public string? Type { get; init; }

    /// <summary><c>pending</c>, <c>delivered</c> or <c>dead</c>.</summary>
    public required string Status { get; init; }

    /// <summary>How many there were; in the whole delivery a list of all.</summary>
    public JsonElement Attempts { get; init; }

    /// <summary>The body byte for byte as it is signed; only in the whole delivery.</summary>
    public string? Body { get; init; }

    /// <summary>When it came up.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it was delivered, or given up.</summary>
    public DateTimeOffset? SettledAt { get; init; }
}

/// <summary>URLs that the server posts events to. All calls need the scope <c>webhooks:manage</c>.</summary>
public sealed class WebhookSubscriptionsClient
{
    private const string Root = "/api/webhooks/subscriptions";

    private readonly OpenWopTransport _transport;

    internal WebhookSubscriptionsClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Subscribes a URL to what happens from now on. The answer holds the secret, once.</summary>
    /// <param name="url">A public address, <c>https</c> unless the server is told otherwise.</param>
    /// <param name="events">1 to 128 exact names of types of events, such as <c>run.completed</c>.</param>
    /// <param name="tags">Only runs that have one of them; null = all.</param>
    /// <param name="secret">16 to 256 printable ASCII characters; null = the server makes one.</param>
    /// <exception cref="OpenWopException">400 <c>validation_error</c>, <c>webhook_url_rejected</c>; 409 <c>webhook_limit_reached</c>.</exception>
    public Task<CreatedSubscription> CreateAsync(
        Uri url, IReadOnlyList<string> events, IReadOnlyList<string>? tags = null, string? secret = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<CreatedSubscription>(
            Request.Once(HttpMethod.Post, "/v1/webhooks", Json.Bytes(new { url, events, tags, secret })), cancellationToken);

    /// <summary>All subscriptions of the organization and the mode of the key, page by page.</summary>
    public IAsyncEnumerable<WebhookSubscription> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<WebhookSubscription>(Root, cancellationToken);

    /// <exception cref="OpenWopException">404: there is none.</exception>
    public Task<WebhookSubscription> GetAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookSubscription>(new Request(HttpMethod.Get, Path(webhookId)), cancellationToken);

    /// <summary>Replaces the secret. The answer holds the new one, once; until the overlap is over deliveries carry both signatures.</summary>
    /// <param name="overlap">Whole seconds, up to seven days; null = a day.</param>
    public Task<WebhookSubscription> RotateSecretAsync(string webhookId, TimeSpan? overlap = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookSubscription>(
            Request.Once(HttpMethod.Post, Path(webhookId) + "/rotate-secret", Json.Bytes(new { overlapSeconds = (int?)overlap?.TotalSeconds })), cancellationToken);

    /// <summary>Sends nothing until it is resumed; nothing is lost meanwhile.</summary>
    public Task<WebhookSubscription> PauseAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookSubscription>(Request.Once(HttpMethod.Post, Path(webhookId) + "/pause"), cancellationToken);

    /// <summary>Sends what has come up during a pause, and goes on.</summary>
    public Task<WebhookSubscription> ResumeAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookSubscription>(Request.Once(HttpMethod.Post, Path(webhookId) + "/resume"), cancellationToken);

    /// <summary>Sends an event <c>webhook.test</c>.</summary>
    public Task<WebhookDelivery> TestAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookDelivery>(Request.Once(HttpMethod.Post, Path(webhookId) + "/test"), cancellationToken);

    /// <summary>Deliveries, newest first.</summary>
    /// <param name="status"><c>pending</c>, <c>delivered</c>, <c>dead</c>; null = all.</param>
    public Task<Page<WebhookDelivery>> DeliveriesAsync(
        string webhookId, string? status = null, int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<WebhookDelivery>(
            Path(webhookId) + "/deliveries" + (status is null ? "" : "?status=" + Uri.EscapeDataString(status)), limit, after, cancellationToken);

    /// <summary>A delivery with its body and all attempts.</summary>
    public Task<WebhookDelivery> DeliveryAsync(string webhookId, string deliveryId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookDelivery>(new Request(HttpMethod.Get, Delivery(webhookId, deliveryId)), cancellationToken);

    /// <summary>Sends a dead letter once more.</summary>
    /// <exception cref="OpenWopException">409 <c>delivery_not_dead</c>: it is none.</exception>
    public Task<WebhookDelivery> ReplayAsync(string webhookId, string deliveryId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WebhookDelivery>(Request.Once(HttpMethod.Post, Delivery(webhookId, deliveryId) + "/replay"), cancellationToken);

    /// <summary>Ends a subscription, and with it what it still had to deliver.</summary>
    public Task DeleteAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, "/v1/webhooks/" + Json.Segment(webhookId)), cancellationToken);

    private static string Path(string webhookId) => $"{Root}/{Json.Segment(webhookId)}";

    private static string Delivery(string webhookId, string deliveryId) => $"{Path(webhookId)}/deliveries/{Json.Segment(deliveryId)}";
}
