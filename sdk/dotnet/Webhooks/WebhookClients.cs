using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Webhooks;

/// <summary>A URL that starts runs.</summary>
/// <param name="Secret">Only in the answer to its creation.</param>
public sealed record InboundWebhook(string Id, string Path, string WorkflowId, string Url, string? Secret);

/// <summary>URLs that start runs when somebody posts to them.</summary>
public sealed class InboundWebhooksClient
{
    private readonly OpenWopTransport _transport;

    internal InboundWebhooksClient(OpenWopTransport transport) => _transport = transport;

    /// <param name="secret">What senders sign with; null = the server makes one.</param>
    public Task<InboundWebhook> CreateAsync(string path, string workflowId, string? secret = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<InboundWebhook>(new Request(HttpMethod.Post, "/api/webhooks") { Body = Json.Bytes(new { path, workflowId, secret }) }, cancellationToken);

    public IAsyncEnumerable<InboundWebhook> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<InboundWebhook>("/api/webhooks", cancellationToken);

    public Task DeleteAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, "/api/webhooks/" + Json.Segment(webhookId)), cancellationToken);
}

/// <summary>URLs that the server posts events to.</summary>
public sealed class WebhookSubscriptionsClient
{
    private readonly OpenWopTransport _transport;

    internal WebhookSubscriptionsClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Subscribes a URL; the answer holds the secret, once.</summary>
    public Task<JsonElement> CreateAsync(Uri url, IReadOnlyList<string>? events = null, string? secret = null, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(
            new Request(HttpMethod.Post, "/v1/webhooks") { Body = Json.Bytes(new { url, events, secret }), IdempotencyKey = Guid.NewGuid().ToString("n") }, cancellationToken);

    public IAsyncEnumerable<JsonElement> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<JsonElement>("/api/webhooks/subscriptions", cancellationToken);

    public Task DeleteAsync(string webhookId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(
            new Request(HttpMethod.Delete, "/v1/webhooks/" + Json.Segment(webhookId)) { IdempotencyKey = Guid.NewGuid().ToString("n") }, cancellationToken);
}
