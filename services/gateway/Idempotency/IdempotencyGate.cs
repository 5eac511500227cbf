using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Grpc;
using OpenWop.Micro.Protocol.Errors;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using StoredAnswer = OpenWop.Micro.Contracts.Identity.V1.Answer;

namespace OpenWop.Micro.Gateway.Idempotency;

/// <summary>
/// Lets a mutating call act once per idempotency key (spec/http-core.md 6.1, docs/decisions/0003-idempotency-records.md).
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>The key is checked, the body read and digested.</item>
/// <item>The record is begun: exactly one of any number of equal calls executes, on whichever gateway they arrive.</item>
/// <item>The operation runs. From here on the client's going away no longer stops it: half an outcome helps nobody. The lease is
/// prolonged as long as it takes.</item>
/// <item>The record is settled: final outcomes are kept for replay, temporary ones invite the next attempt, refusals leave no trace.</item>
/// </list>
/// A gateway that dies after step 2 leaves a lease that runs out; the next call executes again under the same request id, and the
/// service that acts answers with what it did the first time.
/// </remarks>
internal sealed partial class IdempotencyGate(
    Contracts.Identity.V1.Idempotency.IdempotencyClient records, ErrorTranslator errors, ILogger<IdempotencyGate> logger)
{
    private const int MaxKeyLength = 255;

    /// <summary>How long the key of a call is held after the gateway that executes it has died.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);

    /// <summary>A lease survives two renewals that fail.</summary>
    private static readonly TimeSpan RenewalInterval = Lease / 4;

    public async Task<Answer> RunAsync(OperationCall call, OperationHandler handler, CancellationToken cancellationToken)
    {
        if (call.IdempotencyKey is not { } key)
            return await handler(call, cancellationToken);

        // 1. Key and digest
        RequireKey(key);
        var body = await call.ReadBody(cancellationToken);
        call.ReadBody = _ => ValueTask.FromResult(body);
        var digest = RequestDigest.OfRequest(call.ResourceId, call.NodeId, body);
        var recordId = RequestDigest.RecordId(call.Caller.Tenant, call.Operation.Endpoint, key);

        // 2. Begin
        var begun = await records.BeginAsync(
            new BeginRequest
            {
                RecordId = UnsafeByteOperations.UnsafeWrap(recordId),
                Tenant = call.Caller.Tenant,
                RequestDigest = UnsafeByteOperations.UnsafeWrap(digest),
                LeaseMs = (int)Lease.TotalMilliseconds,
            },
            deadline: DateTime.UtcNow + Runs.RunOperations.Patience, cancellationToken: cancellationToken);

        switch (begun.Outcome)
        {
            case BeginOutcome.Execute:
                break;
            case BeginOutcome.Replay:
                return Replay(begun.Answer);
            case BeginOutcome.InFlight:
                // The lease would run out much later, but hardly any call takes that long.
                throw new ProtocolException(new(
                    ErrorCodes.IdempotencyInFlight, "A call with this idempotency key is still being executed.", new() { ["retryAfter"] = 1 }));
            case BeginOutcome.Mismatch:
                throw new ProtocolException(new(
                    ErrorCodes.IdempotencyKeyMismatch, "The idempotency key was used for a different request."));
            default:
                throw new InvalidOperationException($"Unknown outcome {begun.Outcome} of an idempotency record.");
        }

        // 3. Execute, no longer as a part of the client's call: neither its cancellation nor its deadline reaches the services.
        AmbientCall.Leave();
        call.RequestId = RequestDigest.RequestId(recordId, begun.Execution.Span, digest);
        Answer answer;
        using var executed = new CancellationTokenSource();
        var renewing = RenewAsync(recordId, begun.Lease, executed.Token);
        try
        {
            answer = await handler(call, CancellationToken.None);
        }
        catch (Exception exception)
        {
            answer = Answer.Failure(errors.Translate(exception, call.Operation.Id));
        }

        await executed.CancelAsync();
        await renewing;

        // 4. Settle
        await SettleAsync(recordId, begun.Lease, answer);
        return answer;
    }

    /// <exception cref="ProtocolException">400: the key is empty, too long, or not printable ASCII.</exception>
    public static void RequireKey(string key)
    {
        if (key.Length is 0 or > MaxKeyLength || key.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ProtocolException(ProtocolError.Validation($"Idempotency-Key must have 1 to {MaxKeyLength} printable ASCII characters.", "Idempotency-Key"));
    }

    /// <summary>What is kept of an outcome.</summary>
    internal static SettleRequest.OutcomeOneofCase Classify(Answer answer) => answer switch
    {
        { IsPassing: true } => SettleRequest.OutcomeOneofCase.Retry,

        // What an answer shows once and nobody may store, such as a new key, is not kept in a record either.
        { CacheControl: "no-store", Status: < 400 } => SettleRequest.OutcomeOneofCase.Retry,
        { Status: < 400 } => SettleRequest.OutcomeOneofCase.Answer,
        { Status: 429 or 500 or 502 or 503 or 504 } => SettleRequest.OutcomeOneofCase.Retry,
        // Conflicts that pass by themselves are no outcome of the call.
        { Error.Code.Name: "run_already_active" or "idempotency_in_flight" or "idempotency_key_mismatch" } => SettleRequest.OutcomeOneofCase.Discard,
        { Status: 404 or 409 or 410 or 412 or 422 } => SettleRequest.OutcomeOneofCase.Answer,
        _ => SettleRequest.OutcomeOneofCase.Discard,
    };

    private async Task RenewAsync(byte[] recordId, ByteString lease, CancellationToken executed)
    {
        while (true)
        {
            await Task.Delay(RenewalInterval, executed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (executed.IsCancellationRequested)
                return;

            try
            {
                await records.RenewAsync(
                    new RenewRequest { RecordId = UnsafeByteOperations.UnsafeWrap(recordId), Lease = lease, LeaseMs = (int)Lease.TotalMilliseconds },
                    deadline: DateTime.UtcNow + RenewalInterval,
                    cancellationToken: executed);
            }
            catch (RpcException exception)
            {
                if (!executed.IsCancellationRequested)
                    Log.NotRenewed(logger, exception.Status.Detail);
            }
        }
    }

    private async Task SettleAsync(byte[] recordId, ByteString lease, Answer answer)
    {
        var request = new SettleRequest { RecordId = UnsafeByteOperations.UnsafeWrap(recordId), Lease = lease };
        switch (Classify(answer))
        {
            case SettleRequest.OutcomeOneofCase.Answer:
                request.Answer = new StoredAnswer { Status = answer.Status, Body = UnsafeByteOperations.UnsafeWrap(answer.Body), Etag = answer.ETag ?? "" };
                break;
            case SettleRequest.OutcomeOneofCase.Retry:
                request.Retry = true;
                break;
            default:
                request.Discard = true;
                break;
        }

        try
        {
            await records.SettleAsync(request, deadline: DateTime.UtcNow + Runs.RunOperations.Patience, cancellationToken: CancellationToken.None);
        }
        catch (RpcException exception)
        {
            // The call has acted, its answer is good. A retry executes again when the lease has run out, under the same request id.
            Log.NotSettled(logger, exception.Status.Detail);
        }
    }

    private static Answer Replay(StoredAnswer stored)
    {
        var answer = new Answer(stored.Status, stored.Body.Memory) { IsReplay = true, ETag = stored.Etag.Length > 0 ? stored.Etag : null };
        return stored.Status >= 400 && ProtocolError.TryParse(answer.Body, ErrorCodes.InternalError, out var error) ? answer with { Error = error } : answer;
    }

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Warning, "The lease of a call could not be prolonged: {Reason}")]
        public static partial void NotRenewed(ILogger logger, string reason);

        [LoggerMessage(1, LogLevel.Warning, "The outcome of a call could not be kept for its retries: {Reason}")]
        public static partial void NotSettled(ILogger logger, string reason);
    }
}
