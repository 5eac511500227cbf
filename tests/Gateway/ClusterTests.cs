using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.Testing;
using Yarp.ReverseProxy;
using RunsClient = OpenWop.Micro.Contracts.Runs.V1.Runs.RunsClient;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>A gateway before two instances of a service: the proxy and the typed clients agree on who gets traffic.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private readonly TempFolder _data = new();
    private readonly Instance _first = new("first");
    private readonly Instance _second = new("second");
    private WebApplication _gateway = null!;

    private RunsClient Runs => _gateway.Services.GetRequiredService<RunsClient>();

    public async Task InitializeAsync()
    {
        await Task.WhenAll(_first.StartAsync(), _second.StartAsync());
        var both = $"{_first.Url},{_second.Url}";
        var builder = WebApplication.CreateBuilder(
            ["--urls=http://127.0.0.1:0", $"--data={_data.Path}", $"--OPENWOP_RUNS_URL={both}", $"--OPENWOP_CONSOLE_URL={both}", "--OPENWOP_SERVICE_SECRET=0123456789abcdef0123456789abcdef"]);
        builder.AddServiceDefaults(GatewayService.Name);
        builder.Logging.ClearProviders();
        builder.AddIdentity();
        builder.AddGateway();
        _gateway = builder.Build();
        _gateway.UseGateway();
        _gateway.MapServiceDefaults();
        _gateway.MapGateway();
        _gateway.MapIdentity();
        await _gateway.StartAsync();
    }

    [Fact]
    public async Task Calls_go_to_all_instances_that_are_healthy()
    {
        await AnsweredByAsync("first");
        await AnsweredByAsync("second");

        _second.Health = HttpStatusCode.InternalServerError;
        await AvailableAsync(_first);
        await Eventually.TrueAsync(async () => (await AskAsync(20)).SetEquals(["first"]));

        _second.Health = HttpStatusCode.OK;
        await AvailableAsync(_first, _second);
        await AnsweredByAsync("second");
    }

    [Fact]
    public async Task While_nobody_is_healthy_everybody_gets_calls()
    {
        _first.Health = _second.Health = HttpStatusCode.InternalServerError;
        await Task.WhenAll(_first.AskedAsync(4), _second.AskedAsync(4));

        Assert.NotEmpty(await AskAsync(10));
    }

    [Fact]
    public async Task An_instance_that_leaves_calls_unanswered_gets_no_proxied_traffic_either()
    {
        _second.IsDeaf = true;
        await Eventually.TrueAsync(async () =>
        {
            await AskAsync(2);
            return Available().SequenceEqual([_first.Url]);
        });

        _second.IsDeaf = false;
        await AvailableAsync(_first, _second);
        await AnsweredByAsync("second");
    }

    [Fact]
    public async Task The_console_is_the_only_thing_that_is_passed_through()
    {
        using var client = new HttpClient { BaseAddress = new Uri(_gateway.Urls.Single()) };
        Assert.Contains(await client.GetStringAsync(new Uri("/console/app.js", UriKind.Relative)), (string[])["first /console/app.js", "second /console/app.js"]);

        foreach (var path in (string[])["/openwop.runs.v1.Runs/GetRun", "/runs/console", "/consoles"])
        {
            using var response = await client.PostAsync(new Uri(path, UriKind.Relative), new StringContent("{}"));
            await response.ErrorAsync(400, "unversioned_path");
        }
    }

    public async Task DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _gateway.StopAsync(limit.Token);
        await _gateway.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _data.Dispose();
    }

    private Task AnsweredByAsync(string name) => Eventually.TrueAsync(async () => (await AskAsync(1)).Contains(name));

    /// <summary>Who answers so many calls, one after the other; nobody answers those that run into their deadline.</summary>
    private async Task<HashSet<string>> AskAsync(int calls)
    {
        HashSet<string> answered = [];
        for (var i = 0; i < calls; i++)
        {
            try
            {
                answered.Add((await Runs.GetRunAsync(new GetRunRequest { RunId = "run-1" }, deadline: DateTime.UtcNow.AddMilliseconds(500))).Snapshot.ToStringUtf8());
            }
            catch (RpcException exception) when (exception.StatusCode is StatusCode.DeadlineExceeded)
            {
            }
        }

        return answered;
    }

    private Task AvailableAsync(params Instance[] instances) => Eventually.TrueAsync(
        () => Available().SequenceEqual(instances.Select(instance => instance.Url).Order(StringComparer.Ordinal)));

    private IEnumerable<string> Available() =>
        _gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("runs", out var cluster)
            ? cluster.DestinationsState.AvailableDestinations.Select(destination => destination.Model.Config.Address.TrimEnd('/')).Order(StringComparer.Ordinal)
            : [];

    /// <summary>Answers calls with its name.</summary>
    private sealed class Instance(string name) : IAsyncDisposable
    {
        private WebApplication? _app;
        private int _asked;

        public HttpStatusCode Health { get; set; } = HttpStatusCode.OK;

        public bool IsDeaf { get; set; }

        public string Url => _app!.Urls.Single();

        public async Task StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
            builder.Logging.ClearProviders();
            builder.WebHost.UseSharedPorts();
            builder.Services.AddGrpcServer();
            builder.Services.AddSingleton(this);
            _app = builder.Build();
            _app.MapServiceOverGrpc<RunsService>();
            _app.MapGet("/healthz", () =>
            {
                Interlocked.Increment(ref _asked);
                return Results.StatusCode((int)Health);
            });
            _app.MapGet("/console/{**path}", (HttpContext context) => $"{name} {context.Request.Path}");
            await _app.StartAsync();
        }

        /// <summary>Its health has been asked for so many times from now on.</summary>
        public Task AskedAsync(int times)
        {
            var target = Volatile.Read(ref _asked) + times;
            return Eventually.TrueAsync(() => Volatile.Read(ref _asked) >= target);
        }

        public async ValueTask DisposeAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
            await _app!.StopAsync(limit.Token);
            await _app.DisposeAsync();
        }

        private sealed class RunsService(Instance instance) : Contracts.Runs.V1.Runs.RunsBase
        {
            public override async Task<GetRunReply> GetRun(GetRunRequest request, ServerCallContext context)
            {
                if (instance.IsDeaf)
                    await Task.Delay(Timeout.Infinite, context.CancellationToken);

                return new GetRunReply { Snapshot = Google.Protobuf.ByteString.CopyFromUtf8(instance.Name) };
            }
        }

        private string Name => name;
    }
}
