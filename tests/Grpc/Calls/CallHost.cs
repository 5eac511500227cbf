using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Hosting;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>
/// A host whose services call each other over one of the two channels. The registration is the same for both; only the exposure of the
/// service and its address differ.
/// </summary>
internal sealed class CallHost : IAsyncDisposable
{
    private readonly TestHost _host;

    private CallHost(TestHost host) => _host = host;

    public Script Script => _host.App.Services.GetRequiredService<Script>();

    public Protos.Interop.InteropClient Client => _host.App.Services.GetRequiredService<Protos.Interop.InteropClient>();

    public static async Task<CallHost> StartAsync(bool inProcess, Action<WebApplicationBuilder>? configure = null)
    {
        Uri? address = null;
        var host = await TestHost.StartAsync<ScriptedService>(builder =>
        {
            builder.Services.AddSingleton<Script>().AddScoped<ScopedPart>();
            builder.Services.ExposeGrpcServices(_ => inProcess ? GrpcExposure.InProcess : GrpcExposure.Network);
            builder.Services.AddServiceGrpcClient<Protos.Interop.InteropClient>(
                "interop", options => options.Addresses = (_, _) => inProcess ? null : new ServiceAddresses([address!]));
            configure?.Invoke(builder);
        });
        address = host.Address;
        return new CallHost(host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
