using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Connectors;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Workflows.Api;
using OpenWop.Micro.Workflows.Editing;
using OpenWop.Micro.Workflows.Seeding;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows;

/// <summary>The workflows service: definitions and their versions.</summary>
public static class WorkflowsHosting
{
    private const string Service = "workflows";

    /// <summary>Adds the service to a host.</summary>
    public static WebApplicationBuilder AddWorkflows(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.HostService(Service);
        builder.Services.AddGrpcServer();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddServiceDatabase(
            Service,
            DatabaseOptions.ForService(Service, builder.Configuration, builder.Configuration.DataDirectory()),
            typeof(WorkflowsHosting).Assembly);
        builder.Services.AddSingleton(provider => new WorkflowStore(
            provider.GetRequiredKeyedService<Database>(Service), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddConnectorSet();
        builder.Services.AddSingleton<Catalogue>();
        builder.Services.AddSingleton<Editor>();
        builder.Services.AddHostedService<SeedFolder>();
        return builder;
    }

    /// <summary>Maps the service's gRPC face.</summary>
    public static WebApplication MapWorkflows(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceOverGrpc<WorkflowsGrpcService>();
        app.MapServiceOverGrpc<EditingGrpcService>();
        return app;
    }
}
