using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>Our client and our server inside one process.</summary>
public sealed class InProcessInteropTests : InteropCases, IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddInProcessGrpc().BuildServiceProvider();
    private readonly InProcessCallInvoker _invoker;

    public InProcessInteropTests()
    {
        var server = _services.GetRequiredService<InProcessServer>();
        server.MapService<InteropService>();
        _invoker = new InProcessCallInvoker(server);
    }

    private protected override Protos.Interop.InteropClient Client => new(_invoker);

    private protected override UnimplementedService.UnimplementedServiceClient Stranger => new(_invoker);

    public void Dispose() => _services.Dispose();
}
