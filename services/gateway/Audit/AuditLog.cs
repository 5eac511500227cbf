using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.Audit;

/// <summary>Which calls of authenticated callers are recorded.</summary>
internal enum AuditedCalls
{
    None,

    /// <summary>Those that change something, refused ones included.</summary>
    Writes,
    All,
}

/// <summary>
/// One line per call in the log, and one entry in the audit log of the caller's organization: which key did what to which resource, and
/// how it ended (spec/http-core.md 5.1). Never a key, a token, an idempotency key or a body.
/// </summary>
internal sealed partial class AuditLog(IConfiguration configuration, AuditShipping shipping, TimeProvider time, ILogger<AuditLog> logger)
{
    private const string Setting = "OPENWOP_AUDIT_LOG";

    private readonly AuditedCalls _calls = configuration[Setting]?.Trim().ToLowerInvariant() switch
    {
        null or "" or "writes" => AuditedCalls.Writes,
        "all" => AuditedCalls.All,
        "none" => AuditedCalls.None,
        _ => throw new InvalidOperationException($"{Setting} must be none, writes or all."),
    };

    public void Record(Operation operation, ApiCaller caller, string resourceId, int status, TimeSpan elapsed)
    {
        if (_calls == AuditedCalls.None || (_calls == AuditedCalls.Writes && !operation.TakesIdempotencyKey))
            return;

        var elapsedMs = Math.Round(elapsed.TotalMilliseconds, 2);
        Log.Called(logger, operation.Endpoint, resourceId, caller.Tenant, caller.KeyId, status, elapsedMs);
        shipping.Add(new AuditedCall
        {
            Tenant = caller.Tenant,
            Actor = caller.Principal,
            KeyId = caller.KeyId,
            Action = operation.Endpoint,
            Target = resourceId,
            Status = status,
            ElapsedMs = elapsedMs,
            At = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Scopes = { operation.Scopes },
        });
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Endpoint} '{ResourceId}' by key {KeyId} of tenant {Tenant}: {Status} in {ElapsedMs} ms")]
        public static partial void Called(ILogger logger, string endpoint, string resourceId, string tenant, string keyId, int status, double elapsedMs);
    }
}
