using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Hosting;

/// <summary>A process that has only clients: they reach the interop service over the network.</summary>
internal sealed class ClientHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public ClientHost(IEnumerable<Uri> addresses, Action<ServiceGrpcClientOptions>? configure = null)
    {
        var known = new ServiceAddresses([.. addresses]);
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.ClearProviders());
        services.AddServiceGrpcClient<Protos.Interop.InteropClient>("interop", options =>
        {
            options.Addresses = (_, _) => known;
            options.InitialReconnectBackoff = TimeSpan.FromMilliseconds(20);
            options.MaxReconnectBackoff = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(options);
        });
        services.AddServiceGrpcClient<UnimplementedService.UnimplementedServiceClient>("interop");
        _services = services.BuildServiceProvider();
    }

    public Protos.Interop.InteropClient Interop => _services.GetRequiredService<Protos.Interop.InteropClient>();

    public UnimplementedService.UnimplementedServiceClient Stranger => _services.GetRequiredService<UnimplementedService.UnimplementedServiceClient>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
