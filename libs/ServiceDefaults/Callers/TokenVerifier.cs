using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// Turns an internal token into a <see cref="Caller"/>. A token is verified once (about 100 µs for the signature) and then
/// recognized by its hash until it expires.
/// </summary>
internal sealed class TokenVerifier(SigningKeyCache keys, TimeProvider time)
{
    /// <summary>Recognized tokens; a gateway in use has a few per API key and service.</summary>
    internal const int Capacity = 16_384;

    /// <summary>Ours have about 600 characters.</summary>
    private const int MaxTokenLength = 8192;

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxTokenLength };
    private readonly ConcurrentDictionary<TokenHash, Verified> _verified = new();

    /// <summary>The caller that the token proves, or null: forged, expired, for another service, or not a token.</summary>
    public ValueTask<Caller?> VerifyAsync(string token, string audience, CancellationToken cancellationToken)
    {
        if (token.Length > MaxTokenLength)
            return ValueTask.FromResult<Caller?>(null);

        var hash = TokenHash.Of(token);
        if (_verified.TryGetValue(hash, out var known))
            return ValueTask.FromResult(known.Audience == audience && time.GetUtcNow() < known.ExpiresAt ? known.Caller : null);

        return VerifyNewAsync(token, hash, audience, cancellationToken);
    }

    private async ValueTask<Caller?> VerifyNewAsync(string token, TokenHash hash, string audience, CancellationToken cancellationToken)
    {
        if (!_handler.CanReadToken(token) || ReadKeyId(token) is not { } keyId)
            return null;

        if (await keys.FindAsync(keyId, cancellationToken).ConfigureAwait(false) is not { } key)
            return null;

        var result = await _handler.ValidateTokenAsync(token, Rules(key, audience)).ConfigureAwait(false);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || ToCaller(jwt) is not { } caller)
            return null;

        if (_verified.Count >= Capacity)
            MakeRoom();

        _verified[hash] = new Verified(caller, audience, new DateTimeOffset(jwt.ValidTo) + InternalTokens.ClockSkew);
        return caller;
    }

    private TokenValidationParameters Rules(SecurityKey key, string audience) => new()
    {
        ValidIssuer = InternalTokens.Issuer,
        ValidAudience = audience,
        ValidAlgorithms = [InternalTokens.Algorithm],
        IssuerSigningKey = key,
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        ValidateIssuerSigningKey = true,
        LifetimeValidator = (notBefore, expires, _, _) =>
        {
            var now = time.GetUtcNow().UtcDateTime;
            return notBefore is { } from && expires is { } until
                && from - InternalTokens.ClockSkew <= now
                && now < until + InternalTokens.ClockSkew
                && until - from <= InternalTokens.Lifetime;
        },
    };

    private static string? ReadKeyId(string token)
    {
        try
        {
            return new JsonWebToken(token) is { Kid.Length: > 0 } jwt ? jwt.Kid : null;
        }
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    private static Caller? ToCaller(JsonWebToken token)
    {
        if (token.TryGetPayloadValue<string>(InternalTokens.ServiceClaim, out var service) && !string.IsNullOrEmpty(service))
        {
            return new Caller
            {
                Tenant = "",
                Principal = "",
                KeyId = "",
                Scopes = FrozenSet<string>.Empty,
                IsTest = false,
                Service = service,
            };
        }

        // A token of ours has all of these; one that has not proves nobody.
        return token.TryGetPayloadValue<string>(InternalTokens.TenantClaim, out var tenant) && !string.IsNullOrEmpty(tenant)
            && token.TryGetPayloadValue<string>(InternalTokens.PrincipalClaim, out var principal)
            && token.TryGetPayloadValue<string>(InternalTokens.KeyIdClaim, out var keyId)
            && token.TryGetPayloadValue<string>(InternalTokens.ModeClaim, out var mode) && mode is InternalTokens.TestMode or InternalTokens.LiveMode
            && token.TryGetPayloadValue<string[]>(InternalTokens.ScopesClaim, out var scopes)
                ? new Caller
                {
                    Tenant = tenant,
                    Principal = principal,
                    KeyId = keyId,
                    Scopes = scopes.ToFrozenSet(StringComparer.Ordinal),
                    IsTest = mode == InternalTokens.TestMode,
                }
                : null;
    }

    private void MakeRoom()
    {
        var now = time.GetUtcNow();
        foreach (var (hash, verified) in _verified)
        {
            if (verified.ExpiresAt <= now)
                _verified.TryRemove(hash, out _);
        }

        if (_verified.Count >= Capacity)
            _verified.Clear();
    }

    private sealed record Verified(Caller Caller, string Audience, DateTimeOffset ExpiresAt);

    /// <summary>SHA-256 of a token, so that no token stays in memory longer than its call.</summary>
    private readonly record struct TokenHash(UInt128 High, UInt128 Low)
    {
        public static TokenHash Of(string token)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(MemoryMarshal.AsBytes(token.AsSpan()), hash);
            return new TokenHash(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
        }
    }
}
