using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity.Api;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Identity.Idempotency;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Identity.Organizations;
using OpenWop.Micro.Identity.Sessions;
using OpenWop.Micro.Identity.Tokens;
using OpenWop.Micro.Identity.Vault;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity;

/// <summary>The identity service: organizations and their members, API keys, sessions, internal tokens and secrets.</summary>
public static class IdentityHosting
{
    private const string Service = "identity";

    /// <summary>Adds the service to a host.</summary>
    public static WebApplicationBuilder AddIdentity(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.HostService(Service);
        services.AddGrpcServer();
        services.AddEventBus();
        services.AddServiceDatabase(
            Service,
            DatabaseOptions.ForService(Service, builder.Configuration, builder.Configuration.DataDirectory()),
            typeof(IdentityHosting).Assembly);

        services.AddSingleton<KeyStore>();
        services.AddSingleton<KeyChanges>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton(provider => CheckpointKey.Load(provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<ServiceSecret>()));
        services.AddSingleton<AuditCheckpoints>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditCheckpoints>());
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<AuditVerification>();
        services.AddSingleton<OrganizationStore>();
        services.AddSingleton(AdmissionOptions.From(builder.Configuration));
        services.AddSingleton<Admissions>();
        services.AddSingleton<Membership>();
        services.AddSingleton<SigningKeyStore>();
        services.AddSingleton<TokenIssuer>();

        // In this order, before anything of the host starts: tables, a key to sign with, keys to be recognized by.
        services.AddSingleton<SigningKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<SigningKeys>());
        services.AddHostedService<KeyImport>();
        services.AddSingleton(provider => SealingKeys.Load(
            provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<ServiceSecret>(), "identity secrets"));
        services.AddSingleton<SecretSeal>();
        services.AddSingleton<SecretStore>();
        services.AddSingleton<SecretVault>();
        services.AddSingleton<SecretSeeding>();
        services.AddHostedService(provider => provider.GetRequiredService<SecretSeeding>());
        services.AddHostedService<SecretRotation>();
        services.AddSingleton<KeyUse>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyUse>());
        services.AddIdempotencyRecords(Service);
        return builder;
    }

    /// <summary>Maps the service's gRPC face.</summary>
    public static WebApplication MapIdentity(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapServiceOverGrpc<IdentityGrpcService>();
        app.MapServiceOverGrpc<OrganizationsGrpcService>();
        app.MapServiceOverGrpc<AuditGrpcService>();
        app.MapServiceOverGrpc<VaultGrpcService>();
        app.MapIdempotencyRecords();
        return app;
    }
}
