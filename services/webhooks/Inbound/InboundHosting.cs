using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.Webhooks.Inbound.Store;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>The part of the service that other systems send to.</summary>
internal static class InboundHosting
{
    public static void AddInbound(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        builder.AddServiceClient<Runs.RunsClient>("runs");
        builder.AddServiceClient<Workflows.WorkflowsClient>("workflows");
        services.AddSingleton(InboundOptions.From(builder.Configuration));
        services.AddSingleton<InboundStore>();
        services.AddSingleton(provider => SecretsOf(SealingKeys.Load(
            provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<ServiceSecret>(), "webhook secrets")));
        services.AddHostedService<InboundSecretRotation>();
        services.AddSingleton<DeliveryLimits>();
        services.AddSingleton<TargetWorkflows>();
        services.AddSingleton<InboundEditor>();
        services.AddSingleton<RunOutcomes>();
        services.AddSingleton<InboundReceiver>();
        services.AddHostedService<DeliverySweeper>();
    }

    public static void MapInbound(this WebApplication app) => app.MapServiceOverGrpc<InboundGrpcService>();

    private static InboundSecrets SecretsOf(SealingKeys keys) => new(new SecretSeal(keys), keys);
}
