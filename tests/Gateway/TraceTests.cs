using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>spec/runs-streams-replay.md 9.1: the trace context on answers.</summary>
public sealed class TraceTests : IAsyncLifetime
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string Traceparent = $"00-{TraceId}-b7ad6b7169203331-01";

    private GatewayHost _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayHost.StartAsync();

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Theory]
    [InlineData("GET", "/.well-known/openwop", 200)]
    [InlineData("GET", "/v1/runs/run-1", 200)]
    [InlineData("GET", "/v1/runs/unknown", 404)]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("DELETE", "/v1/runs", 405)]
    [InlineData("POST", "/v1/runs:bulk-cancel", 400)]
    [InlineData("GET", "/runs", 400)]
    [InlineData("GET", "/healthz", 200)]
    [InlineData("GET", "/api/nothing", 404)]
    public async Task Every_answer_names_the_trace_of_its_request(string method, string path, int status)
    {
        using var known = await _gateway.SendAsync(method, path, headers: [("traceparent", Traceparent), ("tracestate", "vendor=1")]);
        Assert.Equal(status, (int)known.StatusCode);
        Assert.Equal(TraceId, Parse(known.Header("traceparent")).TraceId.ToHexString());
        Assert.NotEqual("b7ad6b7169203331", Parse(known.Header("traceparent")).SpanId.ToHexString());
        Assert.Equal("vendor=1", known.Header("tracestate"));

        using var fresh = await _gateway.SendAsync(method, path);
        using var another = await _gateway.SendAsync(method, path);
        Assert.NotEqual(Parse(fresh.Header("traceparent")).TraceId, Parse(another.Header("traceparent")).TraceId);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    public async Task A_trace_context_that_is_none_is_not_repeated(string traceparent)
    {
        using var answer = await _gateway.SendAsync("GET", "/v1/runs/run-1", headers: ("traceparent", traceparent));
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.NotEqual(default, Parse(answer.Header("traceparent")).TraceId);
        Assert.DoesNotContain(traceparent, answer.Header("traceparent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_stream_names_it_before_the_first_event()
    {
        _gateway.Services.AddStream("run-1").Writer.Complete();
        using var stream = await _gateway.SendAsync("GET", "/v1/runs/run-1/events", headers: [("traceparent", Traceparent), ("Accept", "text/event-stream")]);
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType!.MediaType);
        Assert.Equal(TraceId, Parse(stream.Header("traceparent")).TraceId.ToHexString());
    }

    [Fact]
    public async Task Calls_over_grpc_are_told_in_the_headers_whether_they_succeed_or_fail()
    {
        using var call = _gateway.Engine.GetRunAsync(new GetRunRequest { RunId = "run-1" }, GatewayHost.GrpcHeaders(more: ("traceparent", Traceparent)));
        Assert.Equal(TraceId, Parse((await call.ResponseHeadersAsync).GetValue("traceparent")).TraceId.ToHexString());
        await call;

        using var refused = _gateway.Engine.CreateRunAsync(new CreateRunRequest { Body = ByteString.CopyFromUtf8("{") }, GatewayHost.GrpcHeaders("nobody", ("traceparent", Traceparent)));
        Assert.Equal(TraceId, Parse((await refused.ResponseHeadersAsync).GetValue("traceparent")).TraceId.ToHexString());
        await Assert.ThrowsAsync<RpcException>(() => refused.ResponseAsync);
    }

    private static ActivityContext Parse(string? traceparent) => ActivityContext.Parse(traceparent!, null);
}
