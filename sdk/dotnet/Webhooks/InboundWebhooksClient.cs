using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Webhooks;

/// <summary>What a URL that starts runs shall be. Members that are null are the server's choice.</summary>
/// <param name="Path">1 to 200 characters of <c>A-Z a-z 0-9 - _ . /</c>, no segment empty, <c>.</c> or <c>..</c>; once per organization and mode.</param>
/// <param name="WorkflowId">The workflow, of which each run takes the newest version.</param>
public sealed record NewInboundWebhook(string Path, string WorkflowId)
{
    /// <summary>What senders sign with, 1 to 256 characters; null = the server makes one.</summary>
    public string? Secret { get; init; }

    /// <summary>How senders sign: <c>openwop</c> (the server's default), <c>github</c>, <c>stripe</c> or <c>slack</c>.</summary>
    public string? Scheme { get; init; }

    /// <summary><c>sync</c>: senders wait for the end of the run; the server's default is <c>async</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>Milliseconds for which senders wait at most, up to 30,000.</summary>
    public int? TimeoutMs { get; init; }

    /// <summary>Most bytes of a delivery, 1 KiB to 3 MiB.</summary>
    public int? MaxBytes { get; init; }

    /// <summary>Good deliveries per minute, 1 to 60,000.</summary>
    public int? RatePerMinute { get; init; }

    /// <summary>Where each input comes from, see docs/inbound-webhooks.md; null = the body is the input.</summary>
    public JsonElement? Inputs { get; init; }
}

/// <summary>A URL that starts runs.</summary>
/// <param name="Url">Where senders post to.</param>
/// <param name="Secret">Only in the answers to its creation and to a rotation.</param>
/// <param name="PreviousSecretUntil">Until when the secret before is good as well.</param>
public sealed record InboundWebhook(
    string Id, string Path, string WorkflowId, string Url, string? Secret, string? Scheme, string? Mode, DateTimeOffset? PreviousSecretUntil, DateTimeOffset? CreatedAt);

/// <summary>A delivery to an inbound webhook that has made a run.</summary>
/// <param name="Id">The id that the sender gave it.</param>
public sealed record AcceptedDelivery(string Id, string RunId, DateTimeOffset ReceivedAt);

/// <summary>URLs that start runs when somebody posts to them. Calls need the scope <c>webhooks:manage</c>, reading <c>manifest:read</c>.</summary>
public sealed class InboundWebhooksClient
{
    private readonly OpenWopTransport _transport;

    internal InboundWebhooksClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Makes a URL. The answer holds the secret, once.</summary>
    /// <exception cref="OpenWopException">400 <c>invalid_body</c>; 404 <c>workflow_not_found</c>; 409 <c>webhook_path_taken</c>, <c>webhook_limit_reached</c>.</exception>
    public Task<InboundWebhook> CreateAsync(NewInboundWebhook webhook, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<InboundWebhook>(Request.Once(HttpMethod.Post, "/api/webhooks", Json.Bytes(webhook)), cancellationToken);

    /// <summary>All URLs of the organization and the mode of the key, page by page.</summary>
    public IAsyncEnumerable<InboundWebhook> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<InboundWebhook>("/api/webhooks", cancellationToken);

    /// <exception cref="OpenWopException">404: there is none.</exception>
    public Task<InboundWebhook> GetAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<InboundWebhook>(new Request(HttpMethod.Get, Path(webhookId)), cancellationToken);

    /// <summary>Replaces the secret. The answer holds the new one, once.</summary>
    /// <param name="overlap">For how long the old one is good as well, whole seconds up to seven days; null = a day.</param>
    /// <param name="secret">The new one; null = the server makes one.</param>
    public Task<InboundWebhook> RotateSecretAsync(string webhookId, TimeSpan? overlap = null, string? secret = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<InboundWebhook>(
            Request.Once(HttpMethod.Post, Path(webhookId) + "/rotate-secret", Json.Bytes(new { secret, overlapSeconds = (int?)overlap?.TotalSeconds })), cancellationToken);

    /// <summary>Changes the members that are given; a null takes one away. Another path is another URL.</summary>
    /// <exception cref="OpenWopException">As for <see cref="CreateAsync"/>, and 404: there is none.</exception>
    public Task<InboundWebhook> ChangeAsync(string webhookId, JsonElement changes, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<InboundWebhook>(Request.Once(HttpMethod.Patch, Path(webhookId), Json.Bytes(changes)), cancellationToken);

    /// <summary>What was accepted, newest first, for as long as the server remembers ids of deliveries.</summary>
    public Task<Page<AcceptedDelivery>> DeliveriesAsync(string webhookId, int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<AcceptedDelivery>(Path(webhookId) + "/deliveries", limit, after, cancellationToken);

    /// <summary>Ends a URL. It never becomes somebody else's.</summary>
    public Task DeleteAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, Path(webhookId)), cancellationToken);

    private static string Path(string webhookId) => "/api/webhooks/" + Json.Segment(webhookId);
}
