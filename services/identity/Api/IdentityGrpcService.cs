using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Identity.Sessions;
using OpenWop.Micro.Identity.Tokens;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Api;

/// <summary>The service's face: who may ask, what for, and the answer as a message.</summary>
internal sealed partial class IdentityGrpcService(
    KeyStore store, SessionStore sessions, KeyChanges changes, KeyUse use, TokenIssuer tokens, SigningKeys signingKeys, ServiceSecret secret, TimeProvider time)
    : Contracts.Identity.V1.Identity.IdentityBase
{
    private const int DefaultPage = 100;
    private const int MaxPage = 200;

    /// <summary>How long an edge may keep an answer: what a revocation takes at most where no notification arrives.</summary>
    private const int ActiveMaxAgeSeconds = 5;
    private const int RefusedMaxAgeSeconds = 2;

    public override async Task<VerifyKeyReply> VerifyKey(VerifyKeyRequest request, ServerCallContext context)
    {
        if (!context.GetCaller().IsService)
            throw Forbidden("Only services verify keys.");
        if (request.KeyHash.Length != SHA256.HashSizeInBytes)
            throw new ProtocolException(ProtocolError.Validation("'keyHash' must be the 32 bytes of a SHA-256 hash.", "keyHash"));

        var now = Now();
        var hash = request.KeyHash.ToByteArray();
        var key = await store.FindByHashAsync(hash, context.CancellationToken) ?? await sessions.FindKeyAsync(hash, context.CancellationToken);
        var status = key?.StatusAt(now) ?? KeyStatus.Unknown;
        if (status != KeyStatus.Active)
            return new VerifyKeyReply { Status = status, MaxAgeSeconds = RefusedMaxAgeSeconds };

        use.Used(key!.KeyId, now);
        var issued = tokens.ForKey(key);
        return new VerifyKeyReply
        {
            Status = status,
            Tenant = key.Tenant,
            Principal = key.Principal,
            KeyId = key.KeyId,
            Scopes = { key.EffectiveScopes },
            IsTest = key.IsTest,
            MaxAgeSeconds = MaxAge(key, now),
            Tokens = { issued.ByAudience.ToDictionary() },
            TokensExpireAt = issued.ExpiresAt.ToUnixTimeSeconds(),
        };
    }

    public override Task<TokenReply> IssueServiceToken(IssueServiceTokenRequest request, ServerCallContext context)
    {
        if (!secret.Matches(request.Secret.Span))
            throw Forbidden("The service secret is wrong.");
        if (!ServiceName().IsMatch(request.Service))
            throw new ProtocolException(ProtocolError.Validation("'service' must be the name of a service.", "service"));

        var issued = tokens.ForService(request.Service);
        return Task.FromResult(new TokenReply { Tokens = { issued.ByAudience.ToDictionary() }, ExpiresAt = issued.ExpiresAt.ToUnixTimeSeconds() });
    }

    public override async Task<GetSigningKeysReply> GetSigningKeys(GetSigningKeysRequest request, ServerCallContext context) =>
        new() { Jwks = UnsafeByteOperations.UnsafeWrap(await signingKeys.PublishAsync(context.CancellationToken)) };

    public override async Task<ApiKey> CreateKey(CreateKeyRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        return KeyMessages.From(await changes.CreateAsync(request, context.TenantOf(request.Tenant), caller, context.CancellationToken), Now());
    }

    public override async Task<ListKeysReply> ListKeys(ListKeysRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        if (request.Limit is < 0 or > MaxPage)
            throw new ProtocolException(ProtocolError.Validation($"'limit' must be from 1 to {MaxPage}.", "limit"));

        var page = await store.ListAsync(
            context.TenantOf(request.Tenant),
            KeyChanges.ModeOf(caller),
            request.After,
            request.Limit == 0 ? DefaultPage : request.Limit,
            context.CancellationToken);
        return new ListKeysReply { Keys = { page.Select(key => KeyMessages.From(key, Now())) } };
    }

    public override async Task<ApiKey> RevokeKey(RevokeKeyRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        return KeyMessages.From(await changes.RevokeAsync(context.TenantOf(request.Tenant), request.KeyId, caller, context.CancellationToken), Now());
    }

    public override async Task<RotateKeyReply> RotateKey(RotateKeyRequest request, ServerCallContext context)
    {
        // Everybody may replace the key it calls with: it gains nothing, and nobody else has to know.
        var caller = context.GetCaller() is { IsService: false } holder && holder.KeyId == request.KeyId ? holder : Manager(context);
        var (key, replaced) = await changes.RotateAsync(request, context.TenantOf(request.Tenant), caller, context.CancellationToken);
        return new RotateKeyReply { Key = KeyMessages.From(key, Now()), Replaced = KeyMessages.From(replaced, Now()) };
    }

    /// <summary>The caller, if it may manage keys.</summary>
    private static Caller Manager(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return caller.IsService || caller.HasScope(Scopes.KeysManage)
            ? caller
            : throw new ProtocolException(new ProtocolError(
                ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = Scopes.KeysManage }));
    }

    private static ProtocolException Forbidden(string message) => new(new ProtocolError(ErrorCodes.Forbidden, message));

    /// <summary>Not beyond the moment at which the key ends by itself.</summary>
    private static int MaxAge(ApiKeyRecord key, long now)
    {
        var end = Math.Min(key.RevokedAt ?? long.MaxValue, key.ExpiresAt ?? long.MaxValue);
        return (int)Math.Min(ActiveMaxAgeSeconds, (end - now) / 1000);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceName();
}
