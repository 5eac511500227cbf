using Grpc.Core;
using Microsoft.IdentityModel.Tokens;
using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// Identity's public keys. Fetched at the first token, again when a token names a key that is not among them (the key was
/// rotated), and every ten minutes so that a withdrawn key is forgotten.
/// </summary>
internal sealed class SigningKeyCache(Identity.IdentityClient identity, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    /// <summary>Tokens with invented key ids must not turn into as many calls.</summary>
    private static readonly TimeSpan MinAge = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _fetching = new(1);
    private volatile Snapshot? _snapshot;

    /// <summary>The key, or null when identity does not know it.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: identity cannot be asked and the key is not among those known.</exception>
    public async ValueTask<SecurityKey?> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        if (_snapshot is { } snapshot && Age(snapshot) < MaxAge && snapshot.Keys.TryGetValue(keyId, out var key))
            return key;

        return (await RefreshAsync(keyId, cancellationToken).ConfigureAwait(false)).Keys.GetValueOrDefault(keyId);
    }

    public void Dispose() => _fetching.Dispose();

    private async Task<Snapshot> RefreshAsync(string keyId, CancellationToken cancellationToken)
    {
        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Somebody else has asked meanwhile, or a moment ago.
            if (_snapshot is { } current && (Age(current) < MinAge || (Age(current) < MaxAge && current.Keys.ContainsKey(keyId))))
                return current;

            try
            {
                var reply = await identity.GetSigningKeysAsync(new GetSigningKeysRequest(), cancellationToken: cancellationToken).ConfigureAwait(false);
                var keys = new JsonWebKeySet(reply.Jwks.ToStringUtf8()).Keys;
                return _snapshot = new Snapshot(keys.ToDictionary(key => key.KeyId, SecurityKey (key) => key, StringComparer.Ordinal), time.GetTimestamp());
            }
            catch (RpcException) when (_snapshot is { } old && old.Keys.ContainsKey(keyId))
            {
                // Better a key that might have been withdrawn minutes ago than an installation that stands still with identity.
                return old;
            }
            catch (RpcException exception) when (exception.StatusCode != StatusCode.Cancelled)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "Identity cannot be asked for its signing keys.", exception));
            }
        }
        finally
        {
            _fetching.Release();
        }
    }

    private TimeSpan Age(Snapshot snapshot) => time.GetElapsedTime(snapshot.FetchedAt);

    private sealed record Snapshot(IReadOnlyDictionary<string, SecurityKey> Keys, long FetchedAt);
}
