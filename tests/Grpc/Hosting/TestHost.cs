using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.Grpc.Tests.Interop;

namespace OpenWop.Micro.Grpc.Tests.Hosting;

/// <summary>A host on a free port of the loopback interface, with a gRPC service and an endpoint that tells the version of HTTP.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private TestHost(WebApplication app) => App = app;

    public WebApplication App { get; }

    public Uri Address => new(App.Urls.Single());

    public static Task<TestHost> StartAsync(
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null, string url = "http://127.0.0.1:0")
        => StartAsync<InteropService>(configure, map, url);

    public static async Task<TestHost> StartAsync<TService>(
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null, string url = "http://127.0.0.1:0")
        where TService : class
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel().UseSetting(WebHostDefaults.ServerUrlsKey, url).UseSharedPorts();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcServer();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapServiceOverGrpc<TService>();
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

    /// <summary>Ends the host without much ado: connections of cancelled calls would otherwise drain for some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await App.StopAsync(limit.Token);
        await App.DisposeAsync();
    }
}
