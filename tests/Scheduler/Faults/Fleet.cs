using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.Scheduler.Tests.Hosting;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Scheduler.Tests.Faults;

/// <summary>Several schedulers as processes on one PostgreSQL and one Redis, and an engine that only counts.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    /// <summary>Short, so that the tests are.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    private readonly PostgreSqlServer _postgres;
    private readonly RedisServer _redis;
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment;
    private readonly WebApplication _engine;
    private readonly ServiceProcess?[] _schedulers;

    private Fleet(PostgreSqlServer postgres, RedisServer redis, WebApplication engine, Dictionary<string, string> environment, FakeRuns runs, int size)
    {
        (_postgres, _redis, _engine, _environment, Runs) = (postgres, redis, engine, environment, runs);
        _schedulers = new ServiceProcess?[size];
        Database = Database.Create(DatabaseOptions.PostgreSql(postgres.ConnectionString, "scheduler"));
    }

    public FakeRuns Runs { get; }

    /// <summary>The schedulers' database.</summary>
    public Database Database { get; }

    public int Size => _schedulers.Length;

    /// <summary>Everything but the schedulers.</summary>
    public static async Task<Fleet> PrepareAsync(int size, FakeRuns runs)
    {
        var postgres = await PostgreSqlServer.StartAsync();
        var redis = await RedisServer.StartAsync();
        var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var engine = await StartEngineAsync(runs, secret);
        var url = engine.Urls.First();
        var fleet = new Fleet(
            postgres,
            redis,
            engine,
            new Dictionary<string, string>
            {
                ["OPENWOP_SERVICE_SECRET"] = secret,
                ["OPENWOP_POSTGRES"] = postgres.ConnectionString,
                ["OPENWOP_REDIS"] = redis.ConnectionString,
                ["OPENWOP_IDENTITY_URL"] = url,
                ["OPENWOP_WORKFLOWS_URL"] = url,
                ["OPENWOP_RUNS_URL"] = url,
                ["OPENWOP_SCHEDULER_LEASE_SECONDS"] = Lease.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            },
            runs,
            size);
        await Migrations.ApplyAsync(fleet.Database, typeof(SchedulerHosting).Assembly, CancellationToken.None);
        return fleet;
    }

    /// <summary>Starts a scheduler that is not there.</summary>
    public async Task StartAsync(int index) => _schedulers[index] ??= await ServiceProcess.StartAsync(
        "scheduler", "OpenWop.Micro.Scheduler", ["--urls", "http://127.0.0.1:0", "--data", _folder.Path], _environment);

    /// <summary>Ends a scheduler without a warning.</summary>
    public async Task KillAsync(int index)
    {
        if (_schedulers[index] is not { } scheduler)
            return;

        await scheduler.DisposeAsync();
        _schedulers[index] = null;
    }

    /// <summary>Asks a scheduler to end.</summary>
    public async Task TerminateAsync(int index)
    {
        if (_schedulers[index] is not { } scheduler)
            return;

        await scheduler.TerminateAsync();
        await KillAsync(index);
    }

    /// <summary>Holds a scheduler for longer than its lease, and lets it go on.</summary>
    public async Task FreezeAsync(int index)
    {
        if (_schedulers[index] is not { } scheduler)
            return;

        await SignalAsync(scheduler.Id, "STOP");
        await Task.Delay(Lease * 1.5);
        await SignalAsync(scheduler.Id, "CONT");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var scheduler in _schedulers)
        {
            if (scheduler is not null)
                await scheduler.DisposeAsync();
        }

        await _engine.StopAsync();
        await _engine.DisposeAsync();
        await Database.DisposeAsync();
        await _redis.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Identity, which gives the schedulers their tokens, and the engine.</summary>
    private static async Task<WebApplication> StartEngineAsync(FakeRuns runs, string secret)
    {
        var folder = new TempFolder();
        var builder = WebApplication.CreateBuilder(["--data", folder.Path, "--urls", "http://127.0.0.1:0", $"--{ServiceSecret.Setting}={secret}", "--OPENWOP_LOG_LEVEL=Critical"]);
        builder.Services.AddSingleton(_ => folder);
        builder.AddServiceDefaults("runs");
        builder.AddIdentity();
        builder.Services.HostService("runs");
        builder.Services.AddSingleton(runs);
        var app = builder.Build();
        app.MapServiceDefaults();
        app.MapIdentity();
        app.MapServiceOverGrpc<FakeRuns.Service>();
        await app.StartAsync();
        return app;
    }

    private static async Task SignalAsync(int processId, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", processId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
