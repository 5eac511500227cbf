using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Identity.Tokens;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Api;

/// <summary>The service's face: who may ask, what for, and the answer as a message.</summary>
internal sealed partial class IdentityGrpcService(
    KeyStore store, KeyChanges changes, KeyUse use, TokenIssuer tokens, SigningKeys signingKeys, ServiceSecret secret, TimeProvider time)
    : Contracts.Identity.V1.Identity.IdentityBase
{
    /// <summary>The scope that managing keys takes.</summary>
    private const string ManageKeys = "keys:manage";

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
        var key = await store.FindByHashAsync(request.KeyHash.ToByteArray(), context.CancellationToken);
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
            Scopes = { key.Scopes },
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
        return ToMessage(await changes.CreateAsync(request, context.TenantOf(request.Tenant), caller, context.CancellationToken));
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
        return new ListKeysReply { Keys = { page.Select(ToMessage) } };
    }

    public override async Task<ApiKey> RevokeKey(RevokeKeyRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        return ToMessage(await changes.RevokeAsync(context.TenantOf(request.Tenant), request.KeyId, caller, context.CancellationToken));
    }

    public override async Task<RotateKeyReply> RotateKey(RotateKeyRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        var (key, replaced) = await changes.RotateAsync(request, context.TenantOf(request.Tenant), caller, context.CancellationToken);
        return new RotateKeyReply { Key = ToMessage(key), Replaced = ToMessage(replaced) };
    }

    /// <summary>The caller, if it may manage keys.</summary>
    private static Caller Manager(ServerCallContext context)
    {
        var caller = context.GetCaller();
        return caller.IsService || caller.HasScope(ManageKeys)
            ? caller
            : throw new ProtocolException(new ProtocolError(
                ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = ManageKeys }));
    }

    private static ProtocolException Forbidden(string message) => new(new ProtocolError(ErrorCodes.Forbidden, message));

    /// <summary>Not beyond the moment at which the key ends by itself.</summary>
    private static int MaxAge(ApiKeyRecord key, long now)
    {
        var end = Math.Min(key.RevokedAt ?? long.MaxValue, key.ExpiresAt ?? long.MaxValue);
        return (int)Math.Min(ActiveMaxAgeSeconds, (end - now) / 1000);
    }

    private ApiKey ToMessage(ApiKeyRecord key) => new()
    {
        KeyId = key.KeyId,
        Tenant = key.Tenant,
        Name = key.Name,
        Principal = key.Principal,
        Scopes = { key.Scopes },
        IsTest = key.IsTest,
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt ?? 0,
        RevokedAt = key.RevokedAt ?? 0,
        LastUsedAt = key.LastUsedAt ?? 0,
        Status = key.StatusAt(Now()),
    };

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceName();
}
