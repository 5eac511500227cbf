using System.Globalization;
using System.Text.Json.Nodes;
using Grpc.Core;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Inflight;

/// <summary>
/// Turns requests away while the gateway has as many in progress as it may (spec/interrupts-state-storage.md 7 and 8): better a quick 503 with
/// the time to come back than a queue in which everybody waits. Event streams count as long as they are open. What an operator or a load
/// balancer asks, and the discovery document, always get through.
/// </summary>
internal sealed class InflightLimit(RequestDelegate next, InflightOptions options)
{
    private int _inflight;

    public async Task InvokeAsync(HttpContext context)
    {
        if (options.Cap is not { } cap || IsExempt(context.Request.Path))
        {
            await next(context);
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _inflight) <= cap)
                await next(context);
            else if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
                RefuseGrpc(context.Response);
            else
                throw new ProtocolException(Error());
        }
        finally
        {
            Interlocked.Decrement(ref _inflight);
        }
    }

    private static bool IsExempt(PathString path) =>
        path.StartsWithSegments("/.well-known") || path == "/healthz" || path == "/readyz" || path.StartsWithSegments("/grpc.health.v1.Health");

    private ProtocolError Error() => new(
        ErrorCodes.ServiceUnavailable, "The server is busy; try again.", new JsonObject { ["retryAfter"] = options.RetryAfterSeconds });

    private void RefuseGrpc(HttpResponse response)
    {
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)StatusCode.Unavailable).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(Error().Message);
        response.Headers["retry-after"] = options.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
    }
}
