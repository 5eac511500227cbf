using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.ServiceDefaults.Health;

/// <summary>
/// <c>/healthz</c> says that the process answers and nothing more: restarting it cannot heal a database. <c>/readyz</c> says
/// whether it should get traffic, with a reason per check. Services add checks with
/// <c>services.AddHealthChecks().AddCheck&lt;T&gt;("runs.storage")</c>; a check's description becomes the reason, so it must not hold secrets.
/// </summary>
internal static class ServiceHealth
{
    private static readonly byte[] Alive = "{\"status\":\"ok\"}"u8.ToArray();

    public static void AddServiceHealth(this IServiceCollection services) =>
        services.AddHealthChecks().AddCheck<LifetimeCheck>("lifetime");

    public static void MapServiceHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", static (HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, Alive));
        routes.MapGet("/readyz", static async (HttpContext context, HealthCheckService checks) =>
        {
            var report = await checks.CheckHealthAsync(context.RequestAborted);
            var (status, body) = Describe(report);
            await WriteAsync(context, status, body);
        });
    }

    private static (int Status, byte[] Body) Describe(HealthReport report)
    {
        var checks = new JsonObject();
        foreach (var (name, entry) in report.Entries)
        {
            var check = new JsonObject { ["status"] = entry.Status == HealthStatus.Healthy ? "ok" : entry.Status == HealthStatus.Degraded ? "degraded" : "failed" };
            if (entry.Description is { Length: > 0 } reason)
                check["reason"] = reason;
            checks[name] = check;
        }

        if (report.Status != HealthStatus.Unhealthy)
            return (StatusCodes.Status200OK, JsonBytes(new JsonObject { ["status"] = "ready", ["checks"] = checks }));

        var error = new ProtocolError(ErrorCodes.ServiceUnavailable, "The service is not ready.", new JsonObject { ["checks"] = checks });
        return (error.Code.HttpStatus, error.ToUtf8Bytes());
    }

    private static byte[] JsonBytes(JsonObject json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());

    private static async Task WriteAsync(HttpContext context, int status, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>Not ready before every hosted service has started, and again from the first moment of the shutdown.</summary>
    private sealed class LifetimeCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("The process is shutting down.")
                : lifetime.ApplicationStarted.IsCancellationRequested ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The process is starting."));
    }
}
