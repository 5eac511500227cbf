using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>Our client and our server inside one process.</summary>
public sealed class InProcessInteropTests : InteropCases, IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddInProcessGrpc().BuildServiceProvider();

    public InProcessInteropTests()
    {
        var server = _services.GetRequiredService<InProcessServer>();
        server.MapService<InteropService>();
        Invoker = new InProcessCallInvoker(server);
    }

    private protected override CallInvoker Invoker { get; }

    public void Dispose() => _services.Dispose();
}
