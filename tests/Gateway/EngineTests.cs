using System.Text;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Grpc.Errors;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class EngineTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayHost.StartAsync();

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Documents_are_those_of_rest()
    {
        var snapshot = await _gateway.Engine.GetRunAsync(new GetRunRequest { RunId = "run-1" }, GatewayHost.GrpcHeaders());
        Assert.Equal(_gateway.Services.Snapshots["run-1"], snapshot.Json.ToStringUtf8());
        var capabilities = await _gateway.Engine.GetCapabilitiesAsync(new GetCapabilitiesRequest());
        Assert.Equal(await (await _gateway.SendAsync("GET", "/.well-known/openwop")).Content.ReadAsStringAsync(), capabilities.Json.ToStringUtf8());
    }

    [Fact]
    public async Task An_error_carries_the_envelope_byte_for_byte()
    {
        var error = await FailAsync(_gateway.Engine.GetRunAsync(new GetRunRequest { RunId = "none" }, GatewayHost.GrpcHeaders()));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.True(RpcErrors.TryGetDetail(error, ProtocolError.EnvelopeTypeUrl, out var envelope));
        Assert.Equal(await (await _gateway.SendAsync("GET", "/v1/runs/none")).Content.ReadAsStringAsync(), Encoding.UTF8.GetString(envelope.Span));
    }

    [Fact]
    public async Task The_checks_are_those_of_rest()
    {
        Assert.Equal(StatusCode.Unauthenticated, (await FailAsync(_gateway.Engine.GetRunAsync(new GetRunRequest { RunId = "run-1" }))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(_gateway.Engine.CreateRunAsync(new CreateRunRequest(), GatewayHost.GrpcHeaders(GatewayHost.ReaderKey)))).StatusCode);
        using var stream = _gateway.Engine.StreamRunEvents(new StreamRunEventsRequest { RunId = "run-1", StreamModes = { "values", "debug" } }, GatewayHost.GrpcHeaders());
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext(CancellationToken.None))).StatusCode);
    }

    [Fact]
    public async Task A_call_may_be_retried_over_the_other_transport()
    {
        const string Body = """{"workflowId":"w"}""";
        var created = await (await _gateway.SendAsync("POST", "/v1/runs", Body, headers: ("Idempotency-Key", "k"))).JsonAsync();
        using var call = _gateway.Engine.CreateRunAsync(
            new CreateRunRequest { Body = ByteString.CopyFromUtf8(Body) }, GatewayHost.GrpcHeaders(more: ("idempotency-key", "k")));
        var replayed = await call;
        Assert.Equal(created.GetProperty("runId").GetString(), replayed.RunId);
        Assert.Equal(created.GetProperty("eventsUrl").GetString(), replayed.EventsUrl);
        Assert.Equal("true", call.GetTrailers().GetValue("openwop-idempotent-replay"));
        Assert.Single(_gateway.Services.Received);
    }

    [Fact]
    public void Every_operation_that_names_a_method_has_it_and_no_method_is_left_over() => Assert.Equal(
        Contracts.V1.Engine.Descriptor.Methods.Select(method => method.Name).Order(),
        Operations.All.Select(operation => operation.Rpc).OfType<string>().Order());

    [Fact]
    public async Task Services_behind_the_gateway_cannot_be_called_from_outside()
    {
        using var channel = global::Grpc.Net.Client.GrpcChannel.ForAddress(_gateway.Http.BaseAddress!);
        var runs = new Contracts.Runs.V1.Runs.RunsClient(channel);
        var error = await FailAsync(runs.GetRunAsync(new() { RunId = "run-1" }));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    private static async Task<RpcException> FailAsync<T>(AsyncUnaryCall<T> call) => await Assert.ThrowsAsync<RpcException>(async () => await call);
}
