using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Api;

/// <summary>The face of the audit log: gateways add to it, auditors verify it.</summary>
internal sealed class AuditGrpcService(AuditTrail trail, AuditVerification verification, CheckpointKey key, TimeProvider time) : Contracts.Identity.V1.Audit.AuditBase
{
    private const int MaxBatch = 2000;
    private const int MaxTargetLength = 256;

    public override async Task<AppendAuditReply> Append(AppendAuditRequest request, ServerCallContext context)
    {
        if (context.GetCaller() is not { IsService: true })
            throw new ProtocolException(new(ErrorCodes.Forbidden, "Only services record what callers do."));
        if (request.BatchId.Length is 0 or > 64 || request.Calls.Count > MaxBatch)
            throw new ProtocolException(ProtocolError.Validation($"A batch has an id of 1 to 64 characters and at most {MaxBatch} calls.", "calls"));

        await trail.AppendAsync(
            request.BatchId, [.. request.Calls.Select(call => (call.Tenant, EntryOf(call)))], time.GetUtcNow().ToUnixTimeMilliseconds(), context.CancellationToken);
        return new AppendAuditReply();
    }

    public override async Task<VerifyAuditReply> Verify(VerifyAuditRequest request, ServerCallContext context)
    {
        if (context.GetCaller() is not { IsService: false } caller || !caller.HasScope(Scopes.AuditRead))
            throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = Scopes.AuditRead }));
        if (request.From < 0 || request.To < request.From || request.To - request.From >= AuditVerification.MaxRange)
            throw new ProtocolException(ProtocolError.Validation($"fromSeq and toSeq must enclose 1 to {AuditVerification.MaxRange} entries.", "toSeq"));

        var verdict = await verification.VerifyAsync(caller.Tenant, request.From, request.To, context.CancellationToken);
        return new VerifyAuditReply { Json = UnsafeByteOperations.UnsafeWrap(AuditVerification.ToJson(verdict, request.From, request.To)) };
    }

    public override Task<CheckpointKeyReply> GetCheckpointKey(GetCheckpointKeyRequest request, ServerCallContext context) => Task.FromResult(new CheckpointKeyReply
    {
        PublicKey = key.PublicKey,
        IntervalEntries = AuditCheckpoints.IntervalEntries,
        IntervalSeconds = AuditCheckpoints.IntervalSeconds,
    });

    private static PendingEntry EntryOf(AuditedCall call)
    {
        if (call.Lost > 0)
            return new("service:gateway", "", "audit.gap", null, new JsonObject { ["lost"] = call.Lost }, call.At);

        var detail = new JsonObject { ["status"] = call.Status, ["elapsedMs"] = call.ElapsedMs };
        if (call.Scopes.Count > 0)
            detail["scopes"] = new JsonArray([.. call.Scopes.Select(scope => (JsonNode)scope)]);
        return new(call.Actor, call.KeyId, call.Action, call.Target.Length is 0 or > MaxTargetLength ? null : call.Target, detail, call.At);
    }
}
