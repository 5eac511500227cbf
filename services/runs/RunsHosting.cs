using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Ai;
using OpenWop.Micro.Runs.Api;
using OpenWop.Micro.Runs.Connectors;
using OpenWop.Micro.Runs.Feed;
using OpenWop.Micro.Runs.Forwarding;
using OpenWop.Micro.Runs.Interrupts;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Retention;
using OpenWop.Micro.Runs.Secrets;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Streaming;
using OpenWop.Micro.Runs.Telemetry;
using OpenWop.Micro.Runs.Timers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs;

/// <summary>The runs service: the engine and its event log.</summary>
public static class RunsHosting
{
    private const string Service = "runs";

    /// <summary>Adds the service to a host.</summary>
    public static WebApplicationBuilder AddRuns(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.HostService(Service);
        builder.AddServiceClient<Workflows.WorkflowsClient>("workflows");
        builder.Services.AddGrpcServer();
        builder.Services.AddBuiltInNodes();
        builder.Services.AddRemoteNodes(builder.Configuration);
        builder.Services.AddAi(builder.Configuration);
        builder.Services.TryAddSingleton(TimeProvider.System);
        var database = DatabaseOptions.ForService(Service, builder.Configuration, builder.Configuration.DataDirectory());
        builder.Services.AddServiceDatabase(Service, database, typeof(RunsHosting).Assembly);
        builder.Services.AddForwarding(Service, database, LeaseSettings.From(builder.Configuration, database.Exclusive));
        builder.Services.AddConnectorNodes();
        builder.AddServiceClient<Vault.VaultClient>("identity");
        builder.Services.AddSingleton(provider => new RunSecrets(provider.GetRequiredService<Vault.VaultClient>));
        builder.Services.AddSingleton<NodeRunner>();
        builder.Services.AddSingleton<Definitions>();
        builder.Services.AddSingleton<OwnedShards>();
        builder.Services.AddEventBus();
        builder.Services.AddSingleton<RunTelemetry>();
        builder.Services.AddSingleton<RunRegistry>();
        builder.Services.AddSingleton(provider => new WakeUps(
            provider.GetRequiredService<TimeProvider>(),
            runId => provider.GetRequiredService<RunRegistry>().Wake(runId)));
        builder.Services.AddSingleton(provider => new RunStore(
            provider.GetRequiredKeyedService<Database>(Service),
            provider.GetRequiredService<TimeProvider>(),
            new CommitListener(
                provider.GetRequiredService<WakeUps>(),
                provider.GetRequiredService<IEventBus>(),
                provider.GetRequiredService<SignalDelivery>(),
                provider.GetRequiredService<CallbackDelivery>(),
                provider.GetRequiredService<RunTelemetry>(),
                provider.GetRequiredService<FeedBell>()).Committed,
            provider.GetRequiredService<ILogger<RunStore>>()));
        builder.Services.AddSingleton(provider => new ActivityStore(
            provider.GetRequiredKeyedService<Database>(Service),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ActivityStore>>()));
        builder.Services.AddSingleton<ActivityLedger>();
        builder.Services.AddSingleton(provider => new MemoryStore(
            provider.GetRequiredKeyedService<Database>(Service), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(provider => new SignalStore(provider.GetRequiredKeyedService<Database>(Service)));
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SignalDelivery>(
            provider, (Func<RunRegistry>)provider.GetRequiredService<RunRegistry>));
        builder.Services.AddHostedService(provider => provider.GetRequiredService<SignalDelivery>());
        builder.Services.AddSingleton<IChildRuns>(provider => ActivatorUtilities.CreateInstance<ChildRuns>(
            provider, (Func<RunCreator>)provider.GetRequiredService<RunCreator>));
        builder.Services.AddSingleton<EventFeed>();
        builder.Services.AddSingleton<FrameStream>();
        builder.Services.AddSingleton<RunReader>();
        builder.Services.AddSingleton<RunCreator>();
        builder.Services.AddSingleton<RunForker>();
        builder.Services.AddSingleton<RunDocuments>();
        builder.Services.AddSingleton(provider => new RunListing(provider.GetRequiredKeyedService<Database>(Service)));
        builder.Services.AddSingleton<RunLists>();
        builder.Services.AddSingleton<TestSeams>();
        builder.Services.AddSingleton(provider => new InterruptTokens(
            provider.GetRequiredKeyedService<Database>(Service), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<InterruptResolver>();
        builder.Services.AddSingleton<CallbackDelivery>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<CallbackDelivery>());
        builder.Services.AddSingleton(provider => new FeedReader(provider.GetRequiredKeyedService<Database>(Service)));
        builder.Services.AddSingleton<FeedBell>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<FeedBell>());
        builder.Services.AddSingleton(RetentionOptions.Read(builder.Configuration));
        builder.Services.AddSingleton(provider => new RetentionStore(provider.GetRequiredKeyedService<Database>(Service)));
        builder.Services.AddSingleton<RetentionService>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RetentionService>());
        builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ShardService>(
            provider,
            provider.GetRequiredKeyedService<Database>(Service)));
        return builder;
    }

    /// <summary>Maps the service's gRPC face.</summary>
    public static WebApplication MapRuns(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceOverGrpc<RunsGrpcService>();
        app.MapServiceOverGrpc<FeedGrpcService>();
        return app;
    }
}
