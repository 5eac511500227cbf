using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Vault;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Identity.Api;

/// <summary>The face of the vault: users write, the runs service reads.</summary>
internal sealed class VaultGrpcService(SecretVault vault, SecretSeeding seeding, HostedServices hosted) : Contracts.Identity.V1.Vault.VaultBase
{
    /// <summary>The one service that may see values.</summary>
    private const string Reader = "runs";

    private const int DefaultPage = 100;
    private const int MaxPage = 200;

    public override async Task<PutSecretReply> Put(PutSecretRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        var (secret, created) = await vault.PutAsync(
            OwnerOf(caller), request.SecretId, request.Value.Memory, request.Description, caller, context.CancellationToken);
        return new PutSecretReply { Secret = secret.ToMessage(), Created = created };
    }

    public override async Task<ListSecretsReply> List(ListSecretsRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        if (request.Limit is < 0 or > MaxPage)
            throw new ProtocolException(ProtocolError.Validation($"limit must be from 1 to {MaxPage}.", "limit"));

        var limit = request.Limit == 0 ? DefaultPage : request.Limit;
        var secrets = await vault.ListAsync(OwnerOf(caller), request.After, limit + 1, context.CancellationToken);
        return new ListSecretsReply { Secrets = { secrets.Take(limit).Select(secret => secret.ToMessage()) }, More = secrets.Count > limit };
    }

    public override async Task<DeleteSecretReply> Delete(DeleteSecretRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        await vault.DeleteAsync(OwnerOf(caller), request.SecretId, caller, context.CancellationToken);
        return new DeleteSecretReply();
    }

    public override async Task<ResolveSecretsReply> Resolve(ResolveSecretsRequest request, ServerCallContext context)
    {
        // Where runs live in this very process, all services of it call by one name.
        if (context.GetCaller() is not { IsService: true } caller || (caller.Service != Reader && !hosted.Contains(Reader)))
            throw new ProtocolException(new(ErrorCodes.Forbidden, "Only runs resolve secrets."));
        if (request.SecretIds.Count is 0 or > SecretRules.MaxResolved)
            throw new ProtocolException(ProtocolError.Validation($"1 to {SecretRules.MaxResolved} secrets are resolved at once.", "secretIds"));

        var owner = new SecretOwner(context.TenantOf(request.Tenant), request.Test);
        var reply = new ResolveSecretsReply();
        foreach (var id in request.SecretIds.Distinct())
        {
            if (await vault.ResolveAsync(owner, id, context.CancellationToken) is { } value)
                reply.Secrets.Add(new ResolvedSecret { SecretId = id, Value = UnsafeByteOperations.UnsafeWrap(value) });
        }

        return reply;
    }

    public override Task<VaultStatus> GetStatus(GetVaultStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new VaultStatus { Seeded = { seeding.Seeded } });

    private static SecretOwner OwnerOf(Caller caller) => new(caller.Tenant, caller.IsTest);

    private static Caller Manager(ServerCallContext context) =>
        context.GetCaller() is { IsService: false } caller && caller.HasScope(Scopes.SecretsManage)
            ? caller
            : throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = Scopes.SecretsManage }));
}
