using System.Runtime.CompilerServices;
using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Secrets;

/// <summary>A secret without its value, which nobody can read back.</summary>
/// <param name="SecretId">1 to 128 letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</param>
/// <param name="Description">For people.</param>
/// <param name="Version">From 1; each other value is a new one.</param>
/// <param name="CreatedAt">When it was stored first.</param>
/// <param name="UpdatedAt">When it was stored last.</param>
public sealed record Secret(string SecretId, string? Description, int Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>Keys of providers and the like, for the nodes of workflows. Needs the scope <c>secrets:manage</c>.</summary>
public sealed class SecretsClient
{
    private const string Root = "/v1/secrets";

    private readonly OpenWopTransport _transport;

    internal SecretsClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Stores a value, or another one in its place.</summary>
    /// <param name="secretId">1 to 128 letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</param>
    /// <param name="value">8 to 65,536 bytes as UTF-8.</param>
    /// <param name="description">For people.</param>
    /// <exception cref="OpenWopException">400: id or value are out of bounds; 412: there are too many.</exception>
    public Task<Secret> SetAsync(string secretId, string value, string? description = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Secret>(Request.Once(HttpMethod.Put, Path(secretId), Json.Bytes(new { value, description })), cancellationToken);

    /// <summary>All secrets of the organization and the mode of the key, ordered by id, page by page.</summary>
    public async IAsyncEnumerable<Secret> ListAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? after = null;
        do
        {
            var page = await _transport.JsonAsync(
                new Request(HttpMethod.Get, after is null ? Root : $"{Root}?after={Uri.EscapeDataString(after)}"), cancellationToken).ConfigureAwait(false);
            foreach (var secret in page.GetProperty("secrets").Deserialize<List<Secret>>(Json.Options)!)
                yield return secret;

            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (after is not null);
    }

    /// <summary>Removes a secret. Nodes that need it fail from then on.</summary>
    /// <exception cref="OpenWopException">404: there is none.</exception>
    public Task DeleteAsync(string secretId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, Path(secretId)), cancellationToken);

    private static string Path(string secretId) => $"{Root}/{Json.Segment(secretId)}";
}
