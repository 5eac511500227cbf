using System.Collections.Concurrent;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Tokens;

/// <summary>Tokens for one caller, one per audience.</summary>
internal sealed record IssuedTokens(IReadOnlyDictionary<string, string> ByAudience, DateTimeOffset ExpiresAt);

/// <summary>Signs internal tokens.</summary>
internal sealed class TokenIssuer(SigningKeys keys, TimeProvider time)
{
    /// <summary>
    /// How long the tokens of a key are handed out again: five signatures take half a millisecond, and an edge asks every few seconds.
    /// </summary>
    private static readonly TimeSpan Reuse = TimeSpan.FromMinutes(1);

    private const int Capacity = 10_000;

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly ConcurrentDictionary<string, Reusable> _reusable = new(StringComparer.Ordinal);

    /// <summary>Tokens that carry the holder of a key. They live for at least four minutes from now.</summary>
    public IssuedTokens ForKey(ApiKeyRecord key)
    {
        var now = time.GetUtcNow();
        if (_reusable.TryGetValue(key.KeyId, out var reusable) && now - reusable.IssuedAt < Reuse && reusable.Fits(key))
            return reusable.Tokens;

        var tokens = Issue(now, new Dictionary<string, object>
        {
            [InternalTokens.TenantClaim] = key.Tenant,
            [InternalTokens.PrincipalClaim] = key.Principal,
            [InternalTokens.KeyIdClaim] = key.KeyId,
            [InternalTokens.ScopesClaim] = key.EffectiveScopes.ToArray(),
            [InternalTokens.ModeClaim] = key.IsTest ? InternalTokens.TestMode : InternalTokens.LiveMode,
        });
        if (_reusable.Count >= Capacity)
            _reusable.Clear();

        _reusable[key.KeyId] = new Reusable(key, tokens, now);
        return tokens;
    }

    /// <summary>Tokens that name a service.</summary>
    public IssuedTokens ForService(string service) =>
        Issue(time.GetUtcNow(), new Dictionary<string, object> { [InternalTokens.ServiceClaim] = service });

    private IssuedTokens Issue(DateTimeOffset now, Dictionary<string, object> claims)
    {
        // Whole seconds, as the claims are.
        var from = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        var until = from + InternalTokens.Lifetime;
        var credentials = keys.Current.Credentials;
        return new IssuedTokens(
            InternalTokens.Audiences.ToDictionary(
                audience => audience,
                audience => _handler.CreateToken(new SecurityTokenDescriptor
                {
                    Issuer = InternalTokens.Issuer,
                    Audience = audience,
                    IssuedAt = from.UtcDateTime,
                    NotBefore = from.UtcDateTime,
                    Expires = until.UtcDateTime,
                    Claims = claims,
                    SigningCredentials = credentials,
                }),
                StringComparer.Ordinal),
            until);
    }

    private sealed record Reusable(ApiKeyRecord Key, IssuedTokens Tokens, DateTimeOffset IssuedAt)
    {
        public bool Fits(ApiKeyRecord key) => key.Principal == Key.Principal && key.EffectiveScopes.SequenceEqual(Key.EffectiveScopes);
    }
}
