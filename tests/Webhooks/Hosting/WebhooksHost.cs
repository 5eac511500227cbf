using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Retention;
using WebhooksClient = OpenWop.Micro.Contracts.Webhooks.V1.Webhooks.WebhooksClient;

namespace OpenWop.Micro.Webhooks.Tests.Hosting;

/// <summary>The real service with identity beside it, a feed that the test writes, and a clock that it moves.</summary>
internal sealed class WebhooksHost : IAsyncDisposable
{
    private readonly TestCallers _callers;
    private readonly WebApplication _app;
    private readonly TempFolder? _folder;

    private WebhooksHost(WebApplication app, TempFolder? folder, FakeFeed feed, FakeTimeProvider time, FakeTimeProvider networkTime)
    {
        (_app, _folder, Feed, Time, NetworkTime) = (app, folder, feed, time, networkTime);
        _callers = new TestCallers(app.Services);
        Client = app.Services.GetRequiredService<WebhooksClient>();
    }

    public WebhooksClient Client { get; }

    public FakeFeed Feed { get; }

    public FakeTimeProvider Time { get; }

    /// <summary>Time in which attempts run out. It stands still unless a test moves it: the clock may run while something is being sent.</summary>
    public FakeTimeProvider NetworkTime { get; }

    public IServiceProvider Services => _app.Services;

    public Database Database => _app.Services.GetRequiredKeyedService<Database>("webhooks");

    public Sweeper Sweeper => _app.Services.GetRequiredService<Sweeper>();

    /// <param name="folder">Where the data is; null = a folder that goes with the host.</param>
    /// <param name="isReal">Whether the time is that of the machine, for measurements.</param>
    public static async Task<WebhooksHost> StartAsync(
        string[]? settings = null, string? folder = null, FakeFeed? feed = null, FakeTimeProvider? time = null, bool isOpen = true, bool isReal = false)
    {
        var own = folder is null ? new TempFolder() : null;
        time ??= new FakeTimeProvider(DateTimeOffset.UtcNow);
        feed ??= new FakeFeed();
        var builder = WebApplication.CreateBuilder(
        [
            "--data", folder ?? own!.Path, "--urls", "http://127.0.0.1:0",
            "--OPENWOP_CLAIM_TTL_MS=300000", $"--OPENWOP_WEBHOOK_ALLOW_PRIVATE={isOpen}",
            .. (settings ?? []).Select(setting => $"--{setting}"),
        ]);
        var networkTime = new FakeTimeProvider();
        builder.Services.AddSingleton(isReal ? TimeProvider.System : time);
        builder.Services.AddKeyedSingleton("network", isReal ? TimeProvider.System : networkTime);
        builder.AddServiceDefaults("webhooks");
        builder.AddIdentity();
        builder.AddKeyVerifier();
        builder.Services.HostService("runs");
        builder.Services.AddSingleton(feed);
        builder.AddWebhooks();
        builder.AddServiceClient<WebhooksClient>("webhooks");
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapServiceOverGrpc<FakeFeed.Service>();
        app.MapWebhooks();
        feed.Listeners.Add(app.Services.GetRequiredService<IEventBus>());
        await app.StartAsync();
        return new WebhooksHost(app, own, feed, time, networkTime);
    }

    /// <summary>Metadata of a user of a tenant.</summary>
    public async Task<Metadata> UserAsync(string tenant = "acme", bool isTest = false) => (await _callers.VerifyAsync(tenant, isTest)).HeadersFor("webhooks");

    public async Task<RegisterWebhookReply> RegisterAsync(
        Uri url, string[]? events = null, string[]? tags = null, string tenant = "acme", bool isTest = false, string requestId = "") => await Client.RegisterWebhookAsync(
            new RegisterWebhookRequest
            {
                Body = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(new { url = url.AbsoluteUri, events = events ?? ["run.completed"], tags = tags ?? [] })),
                RequestId = requestId,
            },
            await UserAsync(tenant, isTest));

    public async Task<RegisterWebhookReply> RegisterAsync(string body) => await Client.RegisterWebhookAsync(
        new RegisterWebhookRequest { Body = ByteString.CopyFromUtf8(body) }, await UserAsync());

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Feed.Listeners.Remove(_app.Services.GetRequiredService<IEventBus>());
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }
}
