using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Scheduler.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.Scheduler.Firing;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Clients;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Workflows;

namespace OpenWop.Micro.Scheduler.Tests.Hosting;

/// <summary>The real service with identity and workflows beside it, an engine that only counts, and a clock that the test moves.</summary>
internal sealed class SchedulerHost : IAsyncDisposable
{
    private readonly TestCallers _callers;
    private readonly WebApplication _app;
    private readonly TempFolder? _folder;

    private SchedulerHost(WebApplication app, TempFolder? folder, FakeRuns runs, FakeTimeProvider time)
    {
        (_app, _folder, Runs, Time) = (app, folder, runs, time);
        _callers = new TestCallers(app.Services);
        Client = app.Services.GetRequiredService<Contracts.Scheduler.V1.Scheduler.SchedulerClient>();
    }

    public Contracts.Scheduler.V1.Scheduler.SchedulerClient Client { get; }

    public FakeRuns Runs { get; }

    public FakeTimeProvider Time { get; }

    public ScheduleStore Schedules => _app.Services.GetRequiredService<ScheduleStore>();

    public FireStore Fires => _app.Services.GetRequiredService<FireStore>();

    public DueQueue Queue => _app.Services.GetRequiredService<DueSchedules>().Queue;

    public Database Database => _app.Services.GetRequiredKeyedService<Database>("scheduler");

    /// <summary>The beginning of a minute that is near the real one, as tokens and deadlines want it.</summary>
    public static DateTimeOffset Start { get; } = new(DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);

    /// <param name="folder">Where the data is; null = a folder that goes with the host.</param>
    public static async Task<SchedulerHost> StartAsync(
        string[]? settings = null, string? folder = null, FakeRuns? runs = null, FakeTimeProvider? time = null)
    {
        var own = folder is null ? new TempFolder() : null;
        time ??= new FakeTimeProvider(Start);
        runs ??= new FakeRuns();
        var builder = WebApplication.CreateBuilder(
            ["--data", folder ?? own!.Path, "--urls", "http://127.0.0.1:0", "--OPENWOP_TEST_SEAM_ENABLED=true", "--OPENWOP_SCHEDULER_LEASE_SECONDS=86400", .. (settings ?? []).Select(setting => $"--{setting}")]);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.AddServiceDefaults("scheduler");
        builder.AddIdentity();
        builder.AddKeyVerifier();
        builder.AddWorkflows();
        builder.Services.HostService("runs");
        builder.Services.AddSingleton(runs);
        builder.AddScheduler();
        builder.AddServiceClient<Contracts.Scheduler.V1.Scheduler.SchedulerClient>("scheduler");
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapWorkflows();
        app.MapScheduler();
        app.MapServiceOverGrpc<FakeRuns.Service>();
        await app.StartAsync();
        var host = new SchedulerHost(app, own, runs, time);
        await host.StoreWorkflowAsync("w");
        return host;
    }

    /// <summary>Metadata of a user of a tenant.</summary>
    public async Task<Metadata> UserAsync(string tenant = "acme", bool isTest = false) => (await _callers.VerifyAsync(tenant, isTest)).HeadersFor("scheduler");

    public async Task StoreWorkflowAsync(string id, string tenant = "acme", bool isTest = false)
    {
        var definition = $$"""
            {"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":[{"id":"a","typeId":"core.noop","name":"a","position":{"x":0,"y":0},"config":{},"inputs":{} }],
             "edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{} }
            """;
        await _app.Services.GetRequiredService<Contracts.Workflows.V1.Workflows.WorkflowsClient>().PutDefinitionAsync(
            new PutDefinitionRequest { WorkflowId = id, Json = ByteString.CopyFromUtf8(definition) }, (await _callers.VerifyAsync(tenant, isTest)).HeadersFor("workflows"));
    }

    /// <summary>Makes a schedule from the members of a body; the workflow is <c>w</c> unless they say otherwise.</summary>
    public async Task<JsonElement> CreateAsync(string members, string tenant = "acme", bool isTest = false) => JsonElement.Parse(
        (await Client.CreateScheduleAsync(
            new CreateScheduleRequest { Body = ByteString.CopyFromUtf8("{\"workflowId\":\"w\"," + members + "}") }, await UserAsync(tenant, isTest))).Json.Span);

    public async Task<JsonElement> ChangeAsync(string id, string body) => JsonElement.Parse(
        (await Client.UpdateScheduleAsync(new UpdateScheduleRequest { Id = id, Body = ByteString.CopyFromUtf8(body) }, await UserAsync())).Json.Span);

    public async Task<JsonElement> GetAsync(string id, string tenant = "acme", bool isTest = false) =>
        JsonElement.Parse((await Client.GetScheduleAsync(new GetScheduleRequest { Id = id }, await UserAsync(tenant, isTest))).Json.Span);

    public async Task DeleteAsync(string id, string tenant = "acme") =>
        await Client.DeleteScheduleAsync(new DeleteScheduleRequest { Id = id }, await UserAsync(tenant));

    public async Task<JsonElement> TickAsync(DateTimeOffset? at = null, string tenant = "acme") => JsonElement.Parse(
        (await Client.TickAsync(new TickRequest { At = at is { } time ? Scheduler.Schedules.Timestamps.Format(time) : "" }, await UserAsync(tenant))).Json.Span);

    public async Task<JsonElement[]> HistoryAsync(string id) =>
        [.. (await Client.ListFiresAsync(new ListFiresRequest { Id = id }, await UserAsync())).Fires.Select(fire => JsonElement.Parse(fire.Span))];

    /// <summary>Ends the host as a crash would leave it: nothing is finished.</summary>
    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder?.Dispose();
    }
}
