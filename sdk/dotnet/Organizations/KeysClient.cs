using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Organizations;

/// <summary>
/// API keys of the organization. Needs the scope <c>keys:manage</c>, but for a key that replaces itself. What makes a key is never repeated by
/// itself where it is unknown whether it was done: the answer with the key would be lost.
/// </summary>
public sealed class KeysClient
{
    private readonly OpenWopTransport _transport;

    internal KeysClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Makes a key. The answer holds it, once.</summary>
    /// <param name="name">For people, up to 200 characters.</param>
    /// <param name="scopes">1 to 64, such as <c>runs:read</c>; <c>*</c> = all.</param>
    /// <param name="expiresAt">When it ends by itself; null = never.</param>
    /// <param name="isTest">Whether it is for test data.</param>
    /// <exception cref="OpenWopException">400 <c>invalid_body</c>; 403: scopes that the caller does not have.</exception>
    public Task<ApiKey> CreateAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt = null, bool isTest = false, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<ApiKey>(
            new Request(HttpMethod.Post, "/api/keys") { Body = Json.Bytes(new { name, scopes, expiresAt, mode = isTest ? "test" : "live" }) }, cancellationToken);

    /// <summary>All keys, ended ones too, page by page; without the keys themselves.</summary>
    public IAsyncEnumerable<ApiKey> ListAllAsync(CancellationToken cancellationToken = default) => _transport.AllAsync<ApiKey>("/api/keys", cancellationToken);

    /// <summary>Ends a key at once.</summary>
    public Task RevokeAsync(string keyId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, "/api/keys/" + Json.Segment(keyId)), cancellationToken);

    /// <summary>Replaces a key; both work until the grace time is over.</summary>
    /// <param name="keyId">The key; <c>current</c> = the one of the client.</param>
    /// <param name="grace">For how long the old one works on, whole seconds up to 30 days; null = a day.</param>
    /// <exception cref="OpenWopException">404: there is none; 412: it has ended, or is being replaced already.</exception>
    public Task<ApiKey> RotateAsync(string keyId, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<ApiKey>(
            new Request(HttpMethod.Post, $"/api/keys/{Json.Segment(keyId)}/rotate") { Body = Json.Bytes(new { graceSeconds = grace is { } time ? (int?)time.TotalSeconds : null }) },
            cancellationToken);
}
