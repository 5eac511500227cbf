using ModelContextProtocol.Protocol;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.Mcp;

/// <summary>
/// <c>/v1/mcp</c>: the workflows of a tenant as tools of an MCP server, over Streamable HTTP and without sessions, so that any gateway can
/// answer any call. Credential and rate limit are checked per request as everywhere; what a tool needs is checked by the tool.
/// </summary>
internal static class McpEndpoint
{
    public const string Route = "/v1/mcp";

    private const string CallerItem = "openwop.mcp.caller";

    /// <summary>Stands for the requests of this protocol in checks and in the audit log; its scopes are those of each tool.</summary>
    private static readonly Operation Connect = new("mcp", HttpMethods.Post, Route)
    {
        IsForEveryCaller = true,
        IgnoresIdempotencyKey = true,
        Summary = "A message of the Model Context Protocol (Streamable HTTP, without sessions). Its tools are the workflows that the caller's tenant sees. "
            + "Listing them takes manifest:read, calling them runs:create and runs:read. An Accept of both application/json and text/event-stream is needed.",
        Body = "McpMessage",
        Successes = [new(200, "The answer to a request.", "McpMessage") { IsEventStream = true }, new(202, "A notification was taken.")],
    };

    public static IServiceCollection AddMcpEndpoint(this IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.AddSingleton<McpWorkflowTools>();
        services.AddMcpServer(server => server.ServerInfo = new Implementation
        {
            Name = "OpenWop.Micro",
            Version = typeof(McpEndpoint).Assembly.GetName().Version!.ToString(3),
        })
            .WithHttpTransport(transport => transport.Stateless = true)
            .WithListToolsHandler((request, cancellationToken) => ToolsOf(request.Services!).ListAsync(request.Params?.Cursor, cancellationToken))
            .WithCallToolHandler((request, cancellationToken) => ToolsOf(request.Services!).CallAsync(request.Params!, cancellationToken));
        return services;
    }

    public static void MapMcpEndpoint(this WebApplication app)
    {
        var pipeline = app.Services.GetRequiredService<OperationPipeline>();
        var errors = app.Services.GetRequiredService<ErrorTranslator>();
        app.MapMcp(Route).Add(endpoint =>
        {
            var serve = endpoint.RequestDelegate!;
            endpoint.Metadata.Add(Connect);
            endpoint.RequestDelegate = async context =>
            {
                try
                {
                    context.Items[CallerItem] = await pipeline.AdmitAsync(Connect, context.Request.Headers.Authorization, context.RequestAborted);
                }
                catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.WriteAnswerAsync(Answer.Failure(errors.Translate(exception, Connect.Id)));
                    return;
                }

                await serve(context);
            };
        });
    }

    /// <summary>Who has sent the request that is being answered.</summary>
    public static ApiCaller CallerOf(IHttpContextAccessor accessor) => (ApiCaller)accessor.HttpContext!.Items[CallerItem]!;

    private static McpWorkflowTools ToolsOf(IServiceProvider services) => services.GetRequiredService<McpWorkflowTools>();
}
