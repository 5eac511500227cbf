using System.Diagnostics;
using OpenWop.Micro.Gateway.Audit;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Idempotency;
using OpenWop.Micro.Gateway.RateLimits;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Logging;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// The way of every call, over REST and gRPC alike (spec/http-core.md 5.3).
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>Credential: who calls? 401.</item>
/// <item>Rate limits of the key, the tenant and the operation: 429, also for callers that lack the scope.</item>
/// <item>Scopes of the operation: 403.</item>
/// <item>Idempotency record of a mutating call: replay, 409, or go on.</item>
/// <item>The operation: the service that acts validates the body (400), binds the resource (404) and checks its state (409).</item>
/// <item>The outcome settles the idempotency record.</item>
/// </list>
/// </remarks>
internal sealed class OperationPipeline(
    Authenticator authenticator, RateLimiter rateLimiter, IdempotencyGate idempotency, ErrorTranslator errors, AuditLog audit, GatewayMetrics metrics, ILogger<OperationPipeline> logger)
{
    /// <summary>Steps 1 to 3.</summary>
    /// <exception cref="ProtocolException">The call is refused.</exception>
    public async ValueTask<ApiCaller> AdmitAsync(Operation operation, string? authorization, CancellationToken cancellationToken)
    {
        // 1. Credential
        var caller = await authenticator.AuthenticateAsync(authorization, cancellationToken);
        Admit(operation, caller);
        return caller;
    }

    /// <summary>The whole way. Errors are answers; only a client that went away ends the call with an exception.</summary>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Answer> RunAsync(OperationCall call, OperationHandler handler, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var scope = new LogScope { RunId = call.Operation.IsAboutRun ? call.ResourceId : null };
        using var open = logger.BeginScope(scope);
        Answer answer;
        try
        {
            if (!call.Operation.IsPublic)
            {
                call.Identified = await authenticator.AuthenticateAsync(call.Authorization, cancellationToken);
                scope.Tenant = call.Caller.Tenant;
                Admit(call.Operation, call.Caller);
            }
            else if (call.Operation.IsLimited)
            {
                rateLimiter.RefuseIfForced();
            }

            // 4. to 6.
            answer = call.Operation.TakesIdempotencyKey
                ? await idempotency.RunAsync(call, handler, cancellationToken)
                : await handler(call, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            answer = Answer.Failure(errors.Translate(exception, call.Operation.Id));
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        metrics.Completed(call.Operation.Id, answer.Status, elapsed);
        if (call.Identified is { } caller)
            audit.Record(call.Operation, caller, call.ResourceId, answer.Status, elapsed);
        return answer;
    }

    private void Admit(Operation operation, ApiCaller caller)
    {
        // 2. Rate limit
        rateLimiter.Admit(caller.KeyId, caller.Tenant, operation.Id);

        // 3. Scopes
        foreach (var scope in operation.Scopes)
        {
            if (!caller.HasScope(scope))
                throw new ProtocolException(new(ErrorCodes.Forbidden, "The credential lacks a scope.", new() { ["scopeRequired"] = scope }));
        }
    }
}
