using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Inbound.Store;
using OpenWop.Micro.Workflows;
using Client = OpenWop.Micro.Contracts.Webhooks.V1.InboundWebhooks.InboundWebhooksClient;
using TriggersClient = OpenWop.Micro.Contracts.Webhooks.V1.Triggers.TriggersClient;

namespace OpenWop.Micro.Webhooks.Tests.Hosting;

/// <summary>The real service with identity and workflows beside it, an engine that only counts, and a clock that the test moves.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private readonly TestCallers _callers;
    private readonly WebApplication _app;
    private readonly TempFolder? _folder;

    private EngineHost(WebApplication app, TempFolder? folder, CountingEngine engine, FakeFeed feed, FakeTimeProvider time)
    {
        (_app, _folder, Engine, Feed, Time) = (app, folder, engine, feed, time);
        _callers = new TestCallers(app.Services);
        Client = app.Services.GetRequiredService<Client>();
        Triggers = app.Services.GetRequiredService<TriggersClient>();
    }

    public Client Client { get; }

    public TriggersClient Triggers { get; }

    public FakeFeed Feed { get; }

    public CountingEngine Engine { get; }

    public FakeTimeProvider Time { get; }

    public InboundStore Store => _app.Services.GetRequiredService<InboundStore>();

    public Database Database => _app.Services.GetRequiredKeyedService<Database>("webhooks");

    /// <param name="kept">Where the data is; null = a folder that goes with the host.</param>
    /// <param name="before">A host that shares its engine and its feed with this one, and its clock.</param>
    public static async Task<EngineHost> StartAsync(string[] settings, TempFolder? kept = null, EngineHost? before = null)
    {
        var folder = kept ?? new TempFolder();
        var time = before?.Time ?? new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (engine, feed) = (before?.Engine ?? new CountingEngine(), before?.Feed ?? new FakeFeed());
        var builder = WebApplication.CreateBuilder(
            ["--data", folder.Path, "--urls", "http://127.0.0.1:0", "--OPENWOP_CLAIM_TTL_MS=300000", .. settings.Select(setting => $"--{setting}")]);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.AddServiceDefaults("webhooks");
        builder.AddIdentity();
        builder.AddKeyVerifier();
        builder.AddWorkflows();
        builder.Services.HostService("runs");
        builder.Services.AddSingleton(feed);
        builder.Services.AddSingleton(engine);
        builder.AddWebhooks();
        builder.AddServiceClient<Client>("webhooks");
        builder.AddServiceClient<TriggersClient>("webhooks");
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapWorkflows();
        app.MapServiceOverGrpc<FakeFeed.Service>();
        app.MapServiceOverGrpc<CountingEngine.Service>();
        app.MapWebhooks();
        feed.Listeners.Add(app.Services.GetRequiredService<IEventBus>());
        await app.StartAsync();
        var host = new EngineHost(app, kept is null ? folder : null, engine, feed, time);
        await host.StoreWorkflowAsync("acme");
        await host.StoreWorkflowAsync("acme", isTest: true);
        return host;
    }

    /// <summary>Metadata of a user of a tenant.</summary>
    public async Task<Metadata> UserAsync(string tenant = "acme", bool isTest = false) => (await _callers.VerifyAsync(tenant, isTest)).HeadersFor("webhooks");

    public async Task StoreWorkflowAsync(string tenant, bool isTest = false) =>
        await _app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>().PutDefinitionAsync(
            new PutDefinitionRequest
            {
                WorkflowId = "w",
                Json = ByteString.CopyFromUtf8("""
                    {"id":"w","name":"w","version":"1.0","nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":0,"y":0},"config":{},"inputs":{}}],
                     "edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{}}
                    """),
            },
            (await _callers.VerifyAsync(tenant, isTest)).HeadersFor("workflows"));

    /// <summary>Makes a trigger of the workflow <c>w</c> from the members of a body.</summary>
    public async Task<JsonElement> CreateTriggerAsync(string members, string tenant = "acme", bool isTest = false, string requestId = "") => JsonElement.Parse(
        (await Triggers.CreateTriggerAsync(
            new CreateTriggerRequest { Body = ByteString.CopyFromUtf8("{\"workflowId\":\"w\"," + members + "}"), RequestId = requestId }, await UserAsync(tenant, isTest))).Json.Span);

    /// <summary>What became of a trigger's events, newest first.</summary>
    public async Task<JsonElement[]> FiringsAsync(JsonElement trigger) =>
        [.. (await Triggers.ListFiringsAsync(new ListFiringsRequest { Id = trigger.GetProperty("id").GetString(), Limit = 200 }, await UserAsync())).Firings
            .Select(firing => JsonElement.Parse(firing.Span))];

    /// <summary>Makes a webhook for the workflow <c>w</c>.</summary>
    public async Task<Hook> CreateAsync(string path, string members = "", string tenant = "acme", bool isTest = false)
    {
        var body = $$"""{"path":"{{path}}","workflowId":"w"{{(members.Length > 0 ? "," + members : "")}}}""";
        var made = await Client.CreateInboundWebhookAsync(
            new CreateInboundWebhookRequest { Body = ByteString.CopyFromUtf8(body), BaseUrl = "https://here" }, await UserAsync(tenant, isTest));
        var json = JsonElement.Parse(made.Json.Span);
        var url = new Uri(json.GetProperty("url").GetString()!);
        return new Hook(json.GetProperty("id").GetString()!, url.Segments[3].TrimEnd('/'), path, json.GetProperty("secret").GetString()!, json);
    }

    /// <summary>Sends what is signed as our own deliveries are.</summary>
    public Task<(int Status, JsonElement Body)> SendAsync(Hook hook, string body, string? id = null)
    {
        var at = Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string> { ["x-openwop-timestamp"] = at, ["x-openwop-signature"] = "sha256=" + hook.Hmac($"{at}.{body}") };
        if (id is not null)
            headers["x-openwop-delivery-id"] = id;

        return SendAsync(hook, body, headers);
    }

    public async Task<(int Status, JsonElement Body)> SendAsync(Hook hook, string body, Dictionary<string, string> headers)
    {
        var reply = await Client.DeliverAsync(new DeliverRequest { Token = hook.Token, Path = hook.Path, Body = ByteString.CopyFromUtf8(body), Headers = { headers } });
        return (reply.Status, JsonElement.Parse(reply.Json.Span));
    }

    public Task StopAsync() => _app.StopAsync();

    /// <summary>Moves the clock in steps until something is so.</summary>
    public Task AdvanceUntilAsync(TimeSpan step, Func<Task<bool>> condition) => Eventually.TrueAsync(async () =>
    {
        if (await condition())
            return true;

        Time.Advance(step);
        return false;
    });

    public async ValueTask DisposeAsync()
    {
        Feed.Listeners.Remove(_app.Services.GetRequiredService<IEventBus>());
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }
}

/// <summary>A webhook as its maker knows it.</summary>
internal sealed record Hook(string Id, string Token, string Path, string Secret, JsonElement Json)
{
    public string Hmac(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text)));
}

/// <summary>What the engine is for webhooks: one run per request id. Can be made to fail.</summary>
internal sealed class CountingEngine
{
    private readonly ConcurrentDictionary<string, (string RunId, CreateRunRequest Request)> _runs = new(StringComparer.Ordinal);

    /// <summary>Called before a run is made; may throw.</summary>
    public Action OnCreate { get; set; } = () => { };

    /// <summary>Called when a run was made; may throw, and the answer is lost.</summary>
    public Action OnCreated { get; set; } = () => { };

    public IReadOnlyList<CreateRunRequest> Runs => [.. _runs.Values.Select(run => run.Request)];

    /// <summary>The workflow is gone.</summary>
    public static Action NoWorkflow => () => throw new ProtocolException(ProtocolError.Validation("The workflow does not exist.", "workflowId"));

    internal sealed class Service(CountingEngine engine) : Runs.RunsBase
    {
        public override Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context)
        {
            engine.OnCreate();
            var mine = (RunId: "run-" + Guid.NewGuid().ToString("N"), Request: request);
            var run = engine._runs.GetOrAdd(request.RequestId, mine);
            engine.OnCreated();
            return Task.FromResult(new CreateRunReply { RunId = run.RunId, Status = "running", Replayed = run.RunId != mine.RunId });
        }
    }
}
