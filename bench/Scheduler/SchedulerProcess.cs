using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.Scheduler;
using OpenWop.Micro.Scheduler.Firing;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Bench.Scheduler;

/// <summary>The scheduler in this process, with an engine that notes when it was asked.</summary>
internal sealed class SchedulerProcess : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CountingEngine _engine;

    private SchedulerProcess(WebApplication app, CountingEngine engine) => (_app, _engine) = (app, engine);

    public static async Task<SchedulerProcess> StartAsync(string folder, string[] settings)
    {
        var engine = new CountingEngine();
        var builder = WebApplication.CreateBuilder(["--data", folder, "--urls", "http://127.0.0.1:0", "--OPENWOP_LOG_LEVEL=Error", .. settings]);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.AddServiceDefaults("scheduler");
        builder.AddIdentity();
        builder.Services.HostService("workflows");
        builder.Services.HostService("runs");
        builder.Services.AddSingleton(engine);
        builder.AddScheduler();
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapScheduler();
        app.MapServiceOverGrpc<CountingEngine.Service>();
        await app.StartAsync();
        return new SchedulerProcess(app, engine);
    }

    /// <summary>What arrives from now on.</summary>
    public Arrivals Expect(int count) => _engine.Current = new Arrivals(count);

    /// <summary>Stores schedules as the service does when callers make them.</summary>
    public async Task StoreAsync(IReadOnlyList<Schedule> schedules)
    {
        await _app.Services.GetRequiredService<ScheduleStore>().InsertManyAsync(schedules, CancellationToken.None);
        var changes = _app.Services.GetRequiredService<ScheduleChanges>();
        foreach (var schedule in schedules)
            changes.Tell(schedule);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>When the engine was asked for which run.</summary>
internal sealed class Arrivals(int count)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _times = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Done => _done.Task.WaitAsync(TimeSpan.FromMinutes(5));

    public DateTimeOffset Of(string requestId) => _times[requestId];

    public void Add(string requestId)
    {
        if (_times.TryAdd(requestId, DateTimeOffset.UtcNow) && _times.Count == count)
            _done.TrySetResult();
    }
}

internal sealed class CountingEngine
{
    public Arrivals Current { get; set; } = new(0);

    internal sealed class Service(CountingEngine engine) : Runs.RunsBase
    {
        public override Task<CreateRunReply> CreateRun(CreateRunRequest request, ServerCallContext context)
        {
            engine.Current.Add(request.RequestId);
            return Task.FromResult(new CreateRunReply { RunId = "run-" + request.RequestId, Status = "running" });
        }
    }
}
