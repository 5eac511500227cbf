using System.Text.Json.Nodes;
using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.Control;

/// <summary>Puts operations of the authoring plane on their routes. They go the way of every call, and answer in their own vocabulary.</summary>
internal static class ControlEndpoints
{
    private static readonly Operation GetHealth = new("getHealth", HttpMethods.Get, "/health")
    {
        Summary = "Whether the gateway is alive. (Whether it is ready: /readyz.)",
        IsLimited = false,
        Successes = [new(200, "It is.", "Health")],
    };

    /// <summary>Serves what is open to everybody.</summary>
    public static void MapControlHealth(this IEndpointRouteBuilder routes) =>
        routes.MapControl(GetHealth, static (_, _) => Task.FromResult(ControlJson.Ok(new JsonObject { ["status"] = "ok" })));

    /// <param name="handler">Carries the operation out.</param>
    public static void MapControl(this IEndpointRouteBuilder routes, Operation operation, OperationHandler handler) =>
        routes.MapControl(operation, (_, call, cancellationToken) => handler(call, cancellationToken));

    /// <param name="handler">Carries the operation out, with the request at hand.</param>
    public static void MapControl(
        this IEndpointRouteBuilder routes, Operation operation, Func<HttpContext, OperationCall, CancellationToken, Task<Answer>> handler)
    {
        var pipeline = routes.ServiceProvider.GetRequiredService<OperationPipeline>();
        var address = routes.ServiceProvider.GetRequiredService<PublicAddress>();
        routes.MapRoute(operation, async context =>
        {
            var call = OperationEndpoints.ReadCall(operation, context, address);
            call.ReadBody = cancellationToken => RequestBody.ReadAnyAsync(context.Request, cancellationToken);
            await context.WriteAnswerAsync(ControlErrors.Translate(await pipeline.RunAsync(call, Bind(context, handler), context.RequestAborted)));
        });
    }

    private static OperationHandler Bind(HttpContext context, Func<HttpContext, OperationCall, CancellationToken, Task<Answer>> handler) =>
        (call, cancellationToken) => handler(context, call, cancellationToken);
}
