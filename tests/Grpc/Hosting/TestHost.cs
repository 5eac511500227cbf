using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.Grpc.Tests.Interop;

namespace OpenWop.Micro.Grpc.Tests.Hosting;

/// <summary>A host on a free port of the loopback interface, with the interop service and an HTTP/1.1 endpoint that tells the protocol.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private TestHost(WebApplication app) => App = app;

    public WebApplication App { get; }

    public Uri Address => new(App.Urls.Single());

    public static async Task<TestHost> StartAsync(
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null, string url = "http://127.0.0.1:0")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel().UseSetting(WebHostDefaults.ServerUrlsKey, url).UseSharedPorts();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcServer();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapServiceOverGrpc<InteropService>();
        app.MapGrpcHealthAndReflection();
        app.MapMethods("/protocol", ["GET", "POST", "PUT", "PATCH"], (HttpContext context) => context.Request.Protocol);
        map?.Invoke(app);
        await app.StartAsync();
        return new TestHost(app);
    }

    public async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        return client;
    }

    public async ValueTask DisposeAsync() => await App.DisposeAsync();
}
