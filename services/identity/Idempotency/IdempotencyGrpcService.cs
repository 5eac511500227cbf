using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Idempotency;

/// <summary>The records' face: checks the caller and the sizes, and maps.</summary>
internal sealed class IdempotencyGrpcService(RequestRecords records) : Contracts.Identity.V1.Idempotency.IdempotencyBase
{
    private const int DigestSize = 32;
    private const int MaxLeaseMs = 120_000;
    private const int MaxBodySize = 256 * 1024;

    public override async Task<BeginReply> Begin(BeginRequest request, ServerCallContext context)
    {
        RequireService(context);
        Require(request.RecordId.Length == DigestSize && request.RequestDigest.Length == DigestSize, "Digests have 32 bytes.");
        Require(request.LeaseMs is > 0 and <= MaxLeaseMs, "The lease is out of its limits.");
        Require(request.Tenant.Length > 0, "The tenant is missing.");

        var claim = await records.BeginAsync(
            request.RecordId.ToByteArray(), request.Tenant, request.RequestDigest.ToByteArray(), TimeSpan.FromMilliseconds(request.LeaseMs), context.CancellationToken);
        return claim switch
        {
            Claim.Execute execute => new BeginReply
            {
                Outcome = BeginOutcome.Execute,
                Lease = UnsafeByteOperations.UnsafeWrap(execute.Lease),
                Execution = UnsafeByteOperations.UnsafeWrap(execute.Execution),
            },
            Claim.Replay replay => new BeginReply
            {
                Outcome = BeginOutcome.Replay,
                Answer = new Answer { Status = replay.Answer.Status, Body = UnsafeByteOperations.UnsafeWrap(replay.Answer.Body), Etag = replay.Answer.ETag },
            },
            Claim.InFlight inFlight => new BeginReply { Outcome = BeginOutcome.InFlight, RetryAfterMs = (long)Math.Ceiling(inFlight.AtMost.TotalMilliseconds) },
            Claim.Mismatch => new BeginReply { Outcome = BeginOutcome.Mismatch },
            _ => throw new InvalidOperationException($"Unknown claim {claim}."),
        };
    }

    public override async Task<RenewReply> Renew(RenewRequest request, ServerCallContext context)
    {
        RequireService(context);
        Require(request.LeaseMs is > 0 and <= MaxLeaseMs, "The lease is out of its limits.");
        return new RenewReply
        {
            Renewed = await records.RenewAsync(
                request.RecordId.ToByteArray(), request.Lease.ToByteArray(), TimeSpan.FromMilliseconds(request.LeaseMs), context.CancellationToken),
        };
    }

    public override async Task<SettleReply> Settle(SettleRequest request, ServerCallContext context)
    {
        RequireService(context);
        var recordId = request.RecordId.ToByteArray();
        var lease = request.Lease.ToByteArray();
        var cancellationToken = context.CancellationToken;
        var settled = request.OutcomeCase switch
        {
            SettleRequest.OutcomeOneofCase.Answer when request.Answer.Body.Length <= MaxBodySize => await records.FinishAsync(
                recordId, lease, new RecordedAnswer(request.Answer.Status, request.Answer.Body.Memory, request.Answer.Etag), cancellationToken),
            // Too large to keep: a retry executes again, and the service that acts recognizes the request.
            SettleRequest.OutcomeOneofCase.Answer or SettleRequest.OutcomeOneofCase.Retry => await records.RetryAsync(recordId, lease, cancellationToken),
            SettleRequest.OutcomeOneofCase.Discard => await records.DiscardAsync(recordId, lease, cancellationToken),
            _ => throw new RpcException(new Status(StatusCode.InvalidArgument, "The outcome is missing.")),
        };
        return new SettleReply { Settled = settled };
    }

    /// <summary>Users have no business with records: their keys come through the gateway.</summary>
    private static void RequireService(ServerCallContext context)
    {
        if (!context.GetCaller().IsService)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "Only services keep idempotency records."));
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new RpcException(new Status(StatusCode.InvalidArgument, message));
    }
}
