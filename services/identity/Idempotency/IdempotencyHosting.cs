using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Idempotency;

/// <summary>The part of the identity service that remembers the outcomes of calls.</summary>
internal static class IdempotencyHosting
{
    public static void AddIdempotencyRecords(this IServiceCollection services, string service)
    {
        services.AddSingleton(provider => new RequestRecords(
            provider.GetRequiredKeyedService<Database>(service),
            new KeyedDigest(provider.GetRequiredService<SealingKeys>()),
            provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<RecordSweeper>();
    }

    public static void MapIdempotencyRecords(this IEndpointRouteBuilder endpoints) => endpoints.MapServiceOverGrpc<IdempotencyGrpcService>();
}
