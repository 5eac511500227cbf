using OpenWop.Micro.Gateway.Audit;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Clusters;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Discovery;
using OpenWop.Micro.Gateway.Editing;
using OpenWop.Micro.Gateway.Engine;
using OpenWop.Micro.Gateway.Errors;
using OpenWop.Micro.Gateway.Idempotency;
using OpenWop.Micro.Gateway.InboundWebhooks;
using OpenWop.Micro.Gateway.Inflight;
using OpenWop.Micro.Gateway.Mcp;
using OpenWop.Micro.Gateway.OpenApi;
using OpenWop.Micro.Gateway.Organizations;
using OpenWop.Micro.Gateway.RateLimits;
using OpenWop.Micro.Gateway.Rejections;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Schedules;
using OpenWop.Micro.Gateway.Secrets;
using OpenWop.Micro.Gateway.Sessions;
using OpenWop.Micro.Gateway.TestSeams;
using OpenWop.Micro.Gateway.Triggers;
using OpenWop.Micro.Gateway.Webhooks;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Gateway;

/// <summary>
/// The gateway: the public surface of an installation over REST, server-sent events and gRPC. It keeps nothing: any number of
/// gateways may stand side by side.
/// </summary>
public static class GatewayService
{
    public const string Name = "gateway";

    /// <summary>Adds the gateway to a host; call <see cref="UseGateway"/> first and <see cref="MapGateway"/> last when it is built.</summary>
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.HostService(Name);
        builder.AddKeyVerifier();
        builder.AddServiceClient<Contracts.Identity.V1.Idempotency.IdempotencyClient>("identity");
        builder.AddOrganizations();
        builder.AddSchedules();
        builder.AddInboundWebhooks();
        builder.AddTriggers();
        builder.AddEditing();
        builder.AddServiceClient<Contracts.Workflows.V1.Workflows.WorkflowsClient>(WorkflowOperations.Service);
        builder.AddServiceClient<Contracts.Runs.V1.Runs.RunsClient>(RunOperations.Service);

        builder.AddWebhookOperations();

        services.AddSingleton<PublicAddress>();
        services.AddSingleton<GatewayMetrics>();
        builder.AddServiceClient<Contracts.Identity.V1.Audit.AuditClient>("identity");
        services.AddSingleton<AuditShipping>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditShipping>());
        services.AddSingleton<AuditLog>();
        services.AddSingleton<AuditOperations>();
        builder.AddServiceClient<Contracts.Identity.V1.Vault.VaultClient>("identity");
        services.AddSingleton<SecretOperations>();
        services.AddSingleton<ErrorTranslator>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton(RateLimitOptions.From(builder.Configuration));
        services.AddSingleton<RateLimiter>();
        services.AddSingleton(InflightOptions.From(builder.Configuration));
        services.AddSingleton<IdempotencyGate>();
        services.AddSingleton<OperationPipeline>();

        services.AddSingleton<RunOperations>();
        services.AddSingleton<BulkCancellation>();
        services.AddSingleton<RunDocumentOperations>();
        services.AddSingleton<DebugBundle>();
        services.AddSingleton<InterruptOperations>();
        services.AddSingleton<EventPolling>();
        services.AddSingleton<EventStreamEndpoint>();
        services.AddSingleton<WorkflowOperations>();
        services.AddMcpEndpoint();
        services.AddSingleton<CapabilitiesSource>();
        services.AddSingleton<OpenApiDocuments>();
        services.AddSingleton<DiscoveryOperations>();
        services.AddHealthChecks().AddCheck<CapabilitiesSource>("gateway.discovery");

        // Its catch-all routes would hide that a path exists with another method (405).
        services.AddGrpcServer(grpc => grpc.IgnoreUnknownServices = true);
        builder.AddServiceClusters();
        var maxBody = builder.Configuration.MaxRequestBodyBytes();
        services.AddAnswersToRejectedRequests();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = maxBody;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.AcceptHttp2PriorKnowledge().AnswerRejectedRequests());
        });
        return builder;
    }

    /// <summary>Puts the error envelope around everything that follows.</summary>
    public static WebApplication UseGateway(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseMiddleware<TraceMiddleware>();
        app.UseMiddleware<EnvelopeMiddleware>();
        app.UseMiddleware<InflightLimit>();
        app.UseMiddleware<SessionMiddleware>();
        app.UseRouting();
        return app;
    }

    /// <summary>Serves the public routes.</summary>
    public static WebApplication MapGateway(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var services = app.Services;
        var discovery = services.GetRequiredService<DiscoveryOperations>();
        var workflows = services.GetRequiredService<WorkflowOperations>();
        var runs = services.GetRequiredService<RunOperations>();
        var documents = services.GetRequiredService<RunDocumentOperations>();
        var interrupts = services.GetRequiredService<InterruptOperations>();

        app.MapOperation(Operations.GetCapabilities, discovery.GetCapabilitiesAsync);
        app.MapOperation(Operations.GetOpenApi, discovery.GetOpenApiAsync);
        app.MapOperation(Operations.GetAuthoringOpenApi, discovery.GetAuthoringOpenApiAsync);
        app.MapOperation(Operations.GetWorkflow, workflows.GetAsync);
        app.MapOperation(Operations.PutWorkflow, workflows.PutAsync);
        app.MapOperation(Operations.CreateRun, runs.CreateAsync);
        app.MapOperation(Operations.GetRun, runs.GetAsync);
        app.MapOperation(Operations.CancelRun, runs.CancelAsync);
        app.MapOperation(Operations.BulkCancelRuns, services.GetRequiredService<BulkCancellation>().CancelAsync);
        app.MapOperation(Operations.ForkRun, runs.ForkAsync);
        app.MapOperation(Operations.PauseRun, runs.PauseAsync);
        app.MapOperation(Operations.ResumeRun, runs.ResumeAsync);
        app.MapOperation(Operations.DiffRuns, documents.DiffAsync);
        app.MapOperation(Operations.GetDebugBundle, services.GetRequiredService<DebugBundle>().GetAsync);
        app.MapOperation(Operations.GetRunAncestry, documents.GetAncestryAsync);
        app.MapOperation(Operations.GetArtifact, documents.GetArtifactAsync);
        app.MapOperation(Operations.ResolveInterruptByRun, interrupts.ResolveByRunAsync);
        app.MapOperation(Operations.InspectInterruptByToken, interrupts.InspectByTokenAsync);
        app.MapOperation(Operations.ResolveInterruptByToken, interrupts.ResolveByTokenAsync);
        app.MapWebhookOperations();
        app.MapOperation(Operations.PollRunEvents, services.GetRequiredService<EventPolling>().PollAsync);
        app.MapRoute(Operations.StreamRunEvents, services.GetRequiredService<EventStreamEndpoint>().HandleAsync);

        app.MapControlHealth();
        app.MapOrganizations();
        app.MapSchedules();
        app.MapInboundWebhooks();
        app.MapTriggers();
        app.MapEditing();

        var secrets = services.GetRequiredService<SecretOperations>();
        app.MapOperation(Operations.ListSecrets, secrets.ListAsync);
        app.MapOperation(Operations.PutSecret, secrets.PutAsync);
        app.MapOperation(Operations.DeleteSecret, secrets.DeleteAsync);
        app.MapOperation(Operations.VerifyAuditLog, services.GetRequiredService<AuditOperations>().VerifyAsync);

        app.MapMcpEndpoint();
        app.MapTestSeams();
        app.MapServiceOverGrpc<EngineService>();
        app.MapServiceClusters();
        return app;
    }
}
