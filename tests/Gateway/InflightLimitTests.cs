using System.Text.Json;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class InflightLimitTests
{
    [Fact]
    public async Task At_its_limit_a_gateway_says_when_to_come_back_and_open_streams_count()
    {
        await using var gateway = await GatewayHost.StartAsync(settings: ["--OPENWOP_INFLIGHT_CAP=2", "--OPENWOP_INFLIGHT_RETRY_AFTER_SECONDS=7"]);
        var frames = new[] { gateway.Services.AddStream("run-1"), gateway.Services.AddStream("run-2") };
        var streams = new[] { await OpenAsync(gateway, "run-1"), await OpenAsync(gateway, "run-2") };

        using (var refused = await gateway.Http.SendAsync(Request(HttpMethod.Get, "/v1/runs/run-1")))
        {
            Assert.Equal(503, (int)refused.StatusCode);
            Assert.Equal("7", refused.Headers.GetValues("Retry-After").Single());
            var envelope = JsonElement.Parse(await refused.Content.ReadAsStringAsync());
            Assert.Equal("service_unavailable", envelope.GetProperty("error").GetString());
            Assert.Equal(7, envelope.GetProperty("details").GetProperty("retryAfter").GetInt32());
        }

        var rpc = await Assert.ThrowsAsync<RpcException>(async () => await gateway.Engine.GetRunAsync(new GetRunRequest { RunId = "run-1" }));
        Assert.Equal(StatusCode.Unavailable, rpc.StatusCode);

        // Who has to know more than others always gets an answer.
        foreach (var path in new[] { "/healthz", "/readyz", "/.well-known/openwop" })
            Assert.Equal(200, (int)(await gateway.Http.GetAsync(path)).StatusCode);

        frames[0].Writer.Complete();
        await streams[0].Content.ReadAsStringAsync();
        streams[0].Dispose();
        await Testing.Eventually.TrueAsync(async () => (int)(await gateway.Http.SendAsync(Request(HttpMethod.Get, "/v1/runs/none"))).StatusCode != 503);
        streams[1].Dispose();
    }

    [Fact]
    public async Task The_limit_is_advertised_as_it_is()
    {
        await using var gateway = await GatewayHost.StartAsync(
            settings: ["--OPENWOP_INFLIGHT_CAP=50", "--OPENWOP_PRODUCTION=true", "--OPENWOP_PUBLIC_URL=https://openwop.example"]);
        var production = JsonElement.Parse(await gateway.Http.GetStringAsync("/.well-known/openwop")).GetProperty("production");
        Assert.True(production.GetProperty("supported").GetBoolean());
        Assert.Equal(50, production.GetProperty("backpressure").GetProperty("inflightCap").GetInt32());
        Assert.Equal(1, production.GetProperty("backpressure").GetProperty("retryAfterSeconds").GetInt32());

        await using var without = await GatewayHost.StartAsync();
        Assert.False(JsonElement.Parse(await without.Http.GetStringAsync("/.well-known/openwop")).TryGetProperty("production", out _));
    }

    [Theory]
    [InlineData("--OPENWOP_PUBLIC_URL=https://openwop.example")]
    [InlineData("--OPENWOP_INFLIGHT_CAP=50")]
    public async Task The_production_profile_cannot_be_claimed_without_what_it_demands(string setting) =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayHost.StartAsync(settings: ["--OPENWOP_PRODUCTION=true", setting]));

    private static async Task<HttpResponseMessage> OpenAsync(GatewayHost gateway, string runId)
    {
        var request = Request(HttpMethod.Get, $"/v1/runs/{runId}/events");
        request.Headers.Accept.ParseAdd("text/event-stream");
        return await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path) =>
        new(method, path) { Headers = { Authorization = new("Bearer", GatewayHost.Key) } };
}
