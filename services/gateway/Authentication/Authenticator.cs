using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Gateway.Authentication;

/// <summary>
/// Turns the <c>Authorization</c> header into a caller (spec/http-core.md 5.1). The header is the only place where a credential
/// is accepted.
/// </summary>
internal sealed class Authenticator(KeyVerifier keys)
{
    private const string Scheme = "Bearer ";

    /// <exception cref="ProtocolException">401: no credential, a malformed, unknown, expired or revoked one.</exception>
    public async ValueTask<ApiCaller> AuthenticateAsync(string? authorization, CancellationToken cancellationToken)
    {
        if (ReadKey(authorization) is not { } text)
            throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The call needs an API key: Authorization: Bearer <key>."));

        var key = await keys.VerifyAsync(text, cancellationToken);
        return key switch
        {
            { Caller: { } caller } => new ApiCaller(caller, key),
            { Status: KeyStatus.Expired } => throw new ProtocolException(new(ErrorCodes.KeyExpired, "The API key has expired.")),
            { Status: KeyStatus.Revoked } => throw new ProtocolException(new(ErrorCodes.KeyRevoked, "The API key has been revoked.")),
            _ => throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The API key is not valid.")),
        };
    }

    /// <summary>The key in a well-formed header, or null.</summary>
    private static string? ReadKey(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;

        var key = authorization[Scheme.Length..].Trim(' ');
        return ApiKeyText.IsWellFormed(key) ? key : null;
    }
}
