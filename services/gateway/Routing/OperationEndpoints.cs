namespace OpenWop.Micro.Gateway.Routing;

/// <summary>Puts operations on HTTP routes.</summary>
internal static class OperationEndpoints
{
    /// <summary>An operation whose answer is one document.</summary>
    public static void MapOperation(this IEndpointRouteBuilder routes, Operation operation, OperationHandler handler)
    {
        var pipeline = routes.ServiceProvider.GetRequiredService<OperationPipeline>();
        var address = routes.ServiceProvider.GetRequiredService<PublicAddress>();
        routes.MapRoute(operation, async context =>
        {
            var answer = await pipeline.RunAsync(ReadCall(operation, context, address), handler, context.RequestAborted);
            await context.WriteAnswerAsync(answer);
        });
    }

    /// <summary>An operation that writes its own answer. The row stays with the route, which is how the OpenAPI document finds it.</summary>
    public static void MapRoute(this IEndpointRouteBuilder routes, Operation operation, RequestDelegate handler) =>
        routes.MapMethods(operation.Route, [operation.Method], handler).WithName(operation.Id).WithMetadata(operation);

    /// <summary>The first id in the route; empty where it has none.</summary>
    public static string ResourceId(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return (string?)(values["runId"] ?? values["workflowId"] ?? values["token"] ?? values["secretId"] ?? values["webhookId"] ?? values["id"]) ?? "";
    }

    public static OperationCall ReadCall(Operation operation, HttpContext context, PublicAddress address)
    {
        var request = context.Request;
        var headers = request.Headers;
        return new OperationCall(operation)
        {
            ResourceId = ResourceId(context),
            NodeId = (string?)(request.RouteValues["nodeId"] ?? request.RouteValues["artifactId"] ?? request.RouteValues["deliveryId"] ?? request.RouteValues["version"]) ?? "",
            Authorization = headers.Authorization,
            IdempotencyKey = headers["Idempotency-Key"],
            Traceparent = headers.TraceParent.ToString(),
            ReadBody = operation.Body is null ? static _ => default : cancellationToken => RequestBody.ReadAsync(request, cancellationToken),
            Query = name => request.Query[name],
            Dedup = headers["X-Dedup"],
            ForceEngineVersion = headers["X-Force-Engine-Version"],
            IfMatch = headers.IfMatch,
            IfNoneMatch = headers.IfNoneMatch,
            BaseUrl = address.BaseUrl(request),
        };
    }
}
