using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Scheduler.Api;
using OpenWop.Micro.Scheduler.Firing;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Scheduler;

/// <summary>The scheduler: runs that start by the clock.</summary>
public static class SchedulerHosting
{
    private const string Service = "scheduler";

    /// <summary>Adds the service to a host.</summary>
    public static WebApplicationBuilder AddScheduler(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.HostService(Service);
        builder.AddServiceClient<Runs.RunsClient>("runs");
        builder.AddServiceClient<Workflows.WorkflowsClient>("workflows");
        services.AddGrpcServer();
        services.AddEventBus();
        services.TryAddSingleton(TimeProvider.System);
        services.AddServiceDatabase(
            Service,
            DatabaseOptions.ForService(Service, builder.Configuration, builder.Configuration.DataDirectory()),
            typeof(SchedulerHosting).Assembly);
        services.AddSingleton(SchedulerOptions.From(builder.Configuration));
        services.AddSingleton<ScheduleStore>();
        services.AddSingleton<FireStore>();
        services.AddSingleton<RunMaker>();
        services.AddSingleton<Firer>();
        services.AddSingleton<DueSchedules>();
        services.AddSingleton(provider => new ScheduleChanges(
            provider.GetRequiredService<IEventBus>(), provider.GetRequiredService<DueSchedules>().Queue));
        services.AddSingleton<ScheduleEditor>();
        services.AddSingleton<Ticks>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<SchedulerLoop>(
            provider,
            new ShardLeaseOptions
            {
                ShardCount = SchedulerLoop.Parts,
                Owner = $"{Environment.MachineName}-{Guid.NewGuid():N}",
                Address = builder.Configuration["urls"] ?? "in-process",
                Duration = provider.GetRequiredService<SchedulerOptions>().Lease,
                Exclusive = provider.GetRequiredKeyedService<Database>(Service).Options.Exclusive,
            }));
        services.AddHostedService<HistorySweeper>();
        return builder;
    }

    /// <summary>Maps the service's gRPC face.</summary>
    public static WebApplication MapScheduler(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceOverGrpc<SchedulerGrpcService>();
        return app;
    }
}
