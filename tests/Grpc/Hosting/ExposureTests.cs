using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Hosting;

/// <summary>From where services can be called, and what a host tells about them.</summary>
public sealed class ExposureTests
{
    private const string Interop = "micro.testing.v1.Interop";

    [Theory]
    [InlineData(GrpcExposure.Both, true, true)]
    [InlineData(GrpcExposure.Network, true, false)]
    [InlineData(GrpcExposure.InProcess, false, true)]
    public async Task A_service_is_reachable_from_where_the_host_says(GrpcExposure exposure, bool overNetwork, bool inProcess)
    {
        await using var host = await TestHost.StartAsync(builder =>
        {
            builder.Services.ExposeGrpcServices(service => service == Interop ? exposure : GrpcExposure.Both);
            builder.Services.AddServiceGrpcClient<Protos.Interop.InteropClient>("interop");
        });
        using var channel = GrpcChannel.ForAddress(host.Address);

        var network = await Record.ExceptionAsync(async () => await new Protos.Interop.InteropClient(channel).EmptyCallAsync(new Empty()));
        var local = await Record.ExceptionAsync(
            async () => await host.App.Services.GetRequiredService<Protos.Interop.InteropClient>().EmptyCallAsync(new Empty()));

        Assert.Equal(overNetwork, network is null);
        Assert.Equal(inProcess, local is null);
        if (!overNetwork)
            Assert.Equal(StatusCode.Unimplemented, Assert.IsType<RpcException>(network).StatusCode);
        if (!inProcess)
            Assert.Contains("'interop'", Assert.IsType<InvalidOperationException>(local).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_of_a_service_is_that_of_its_checks_and_of_the_hosts()
    {
        await using var host = await TestHost.StartAsync(builder => builder.Services.AddHealthChecks()
            .AddCheck("host", () => HealthCheckResult.Healthy())
            .AddCheck("other", () => HealthCheckResult.Unhealthy(), tags: ["another.Service"]));
        using var channel = GrpcChannel.ForAddress(host.Address);
        var health = new Health.HealthClient(channel);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await CheckAsync(Interop));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, await CheckAsync(""));
        var unknown = await Assert.ThrowsAsync<RpcException>(() => CheckAsync("nobody.Knows"));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);

        async Task<HealthCheckResponse.Types.ServingStatus> CheckAsync(string service)
            => (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status;
    }

    [Fact]
    public async Task Who_watches_the_health_of_a_service_hears_of_the_shutdown()
    {
        await using var host = await TestHost.StartAsync(builder => builder.Services.AddHealthChecks().AddCheck("host", () => HealthCheckResult.Healthy()));
        using var channel = GrpcChannel.ForAddress(host.Address);
        using var watch = new Health.HealthClient(channel).Watch(new HealthCheckRequest { Service = Interop });
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, watch.ResponseStream.Current.Status);

        var stopping = host.App.StopAsync();
        while (watch.ResponseStream.Current.Status != HealthCheckResponse.Types.ServingStatus.NotServing)
            Assert.True(await watch.ResponseStream.MoveNext(default).WaitAsync(TimeSpan.FromSeconds(20)));

        Assert.False(await watch.ResponseStream.MoveNext(default));
        await stopping;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_are_compressed_where_both_sides_want_it(bool compress)
    {
        string? requestEncoding = null, responseEncoding = null;
        await using var host = await TestHost.StartAsync(
            builder => builder.Services.AddGrpcServer(grpc => grpc.ResponseCompressionAlgorithm = compress ? "gzip" : null),
            app => app.Use(async (context, next) =>
            {
                requestEncoding = context.Request.Headers["grpc-encoding"];
                await next(context);
                responseEncoding = context.Response.Headers["grpc-encoding"];
            }));
        await using var client = new ClientHost([host.Address]);
        var headers = new Metadata();
        if (compress)
            headers.Add("grpc-internal-encoding-request", "gzip");

        var response = await client.Interop.UnaryCallAsync(new UnaryRequest { ResponseSize = 100_000 }, headers);

        Assert.Equal(100_000, response.Payload.Body.Length);
        Assert.Equal(compress ? "gzip" : null, requestEncoding);
        Assert.Equal(compress ? "gzip" : null, responseEncoding);
    }
}
