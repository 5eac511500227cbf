using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Authentication;

/// <summary>
/// Turns the <c>Authorization</c> header into a caller (spec/http-core.md 5.1). The header is the only place where a credential
/// is accepted, and the key itself goes no further than this class: identity sees its hash.
/// </summary>
internal sealed class Authenticator(Identity.IdentityClient identity)
{
    /// <summary>Longer credentials are refused unseen.</summary>
    public const int MaxKeyLength = 512;

    private const string Scheme = "Bearer ";

    /// <exception cref="ProtocolException">401: no credential, a malformed, unknown, expired or revoked one.</exception>
    public async ValueTask<ApiCaller> AuthenticateAsync(string? authorization, CancellationToken cancellationToken)
    {
        if (ReadKey(authorization) is not { } key)
            throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The call needs an API key: Authorization: Bearer <key>."));

        var reply = await identity.VerifyKeyAsync(new VerifyKeyRequest { KeyHash = ByteString.CopyFrom(Hash(key)) }, cancellationToken: cancellationToken);
        return reply.Status switch
        {
            KeyStatus.Active => new ApiCaller(reply.Tenant, reply.KeyId, reply.Scopes.ToFrozenSet(StringComparer.Ordinal), reply.IsTest, reply.Tokens),
            KeyStatus.Expired => throw new ProtocolException(new(ErrorCodes.KeyExpired, "The API key has expired.")),
            KeyStatus.Revoked => throw new ProtocolException(new(ErrorCodes.KeyRevoked, "The API key has been revoked.")),
            _ => throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The API key is not valid.")),
        };
    }

    /// <summary>The key in a well-formed header, or null.</summary>
    internal static string? ReadKey(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;

        var key = authorization.AsSpan(Scheme.Length).Trim(' ');
        return key.Length is > 0 and <= MaxKeyLength && !key.ContainsAnyExceptInRange('!', '~') ? key.ToString() : null;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
