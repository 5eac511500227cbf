using Grpc.Core;
using OpenWop.Micro.Grpc.Errors;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>How calls end: status, trailers, errors.</summary>
public abstract partial class CallCases
{
    [Fact]
    public async Task An_exception_of_the_handler_becomes_unknown_without_its_message()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, _) => throw new InvalidOperationException("the password is 1234");

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.Equal("Exception was thrown by handler.", failure.Status.Detail);
        Assert.Null(failure.Status.DebugException?.InnerException);
    }

    [Fact]
    public async Task Detailed_errors_tell_the_message_of_an_exception()
    {
        await using var host = await StartAsync(builder => builder.Services.AddGrpcServer(grpc => grpc.EnableDetailedErrors = true));
        host.Script.Unary = async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("off by one");
        };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal("Exception was thrown by handler. InvalidOperationException: off by one", failure.Status.Detail);
    }

    [Fact]
    public async Task Trailers_of_the_context_and_of_the_exception_arrive_together()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, context) =>
        {
            context.ResponseTrailers.Add("first", "1");
            throw new RpcException(new Status(StatusCode.Aborted, "conflict"), new Metadata { { "second", "2" } });
        };
        using var call = host.Client.UnaryCallAsync(new UnaryRequest());

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);

        Assert.Equal((StatusCode.Aborted, "conflict"), (call.GetStatus().StatusCode, call.GetStatus().Detail));
        Assert.All([failure.Trailers, call.GetTrailers()], trailers =>
        {
            Assert.Equal("1", trailers.GetValue("first"));
            Assert.Equal("2", trailers.GetValue("second"));
        });
    }

    [Fact]
    public async Task A_status_set_on_the_context_ends_the_call_with_it()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, context) =>
        {
            context.Status = new Status(StatusCode.NotFound, "nowhere");
            return Task.FromResult(new UnaryResponse());
        };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Equal("nowhere", failure.Status.Detail);
    }

    [Fact]
    public async Task A_handler_without_response_ends_the_call_as_cancelled()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, _) => Task.FromResult<UnaryResponse>(null!);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Fact]
    public async Task Messages_written_before_an_error_arrive_before_it()
    {
        await using var host = await StartAsync();
        host.Script.Produce = async (_, responses, _) =>
        {
            await responses.WriteAsync(new OutputResponse { Payload = PayloadOf(1) });
            await responses.WriteAsync(new OutputResponse { Payload = PayloadOf(2) });
            throw new RpcException(new Status(StatusCode.DataLoss, "torn"));
        };
        using var call = host.Client.ProduceOutput(new OutputRequest());

        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(2, call.ResponseStream.Current.Payload.Body.Length);
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));

        Assert.Equal(StatusCode.DataLoss, failure.StatusCode);
        Assert.Equal(StatusCode.DataLoss, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_detail_that_is_no_protobuf_message_arrives_byte_for_byte()
    {
        const string TypeUrl = "openwop.dev/spec/v1/ErrorEnvelope";
        var envelope = """{"error":"run_not_found","message":"No such run: ☺"}"""u8.ToArray();
        await using var host = await StartAsync();
        host.Script.Unary = (_, _) => throw RpcErrors.Create(StatusCode.NotFound, "No such run", TypeUrl, envelope);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.True(RpcErrors.TryGetDetail(failure, TypeUrl, out var value));
        Assert.Equal(envelope, value.ToArray());
        Assert.False(RpcErrors.TryGetDetail(failure, "another", out _));
        Assert.Equal((int)StatusCode.NotFound, RpcErrors.GetStatus(failure)!.Code);
    }

    [Fact]
    public async Task Details_that_are_not_a_status_are_no_details()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, _) => throw new RpcException(
            new Status(StatusCode.NotFound, "No such run"), new Metadata { { "grpc-status-details-bin", new byte[] { 0xff, 0xff } } });

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));

        Assert.Null(RpcErrors.GetStatus(failure));
    }

    [Fact]
    public async Task A_request_above_the_servers_limit_is_refused()
    {
        await using var host = await StartAsync(builder => builder.Services.AddGrpcServer(grpc => grpc.MaxReceiveMessageSize = 1000));

        await host.Client.UnaryCallAsync(new UnaryRequest { Payload = PayloadOf(900) });
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest { Payload = PayloadOf(1000) }));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task A_response_above_the_clients_limit_is_refused()
    {
        await using var host = await StartAsync();
        host.Script.Unary = (_, _) => Task.FromResult(new UnaryResponse { Payload = PayloadOf(GrpcLimits.MaxMessageSize) });
        host.Script.Produce = (_, responses, _) => responses.WriteAsync(new OutputResponse { Payload = PayloadOf(GrpcLimits.MaxMessageSize) });

        var unary = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.UnaryCallAsync(new UnaryRequest()));
        using var call = host.Client.ProduceOutput(new OutputRequest());
        var streaming = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));

        Assert.Equal(StatusCode.ResourceExhausted, unary.StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, streaming.StatusCode);
    }

    [Fact]
    public async Task The_status_of_a_running_call_cannot_be_read()
    {
        await using var host = await StartAsync();
        host.Script.Unary = async (_, context) =>
        {
            await UntilCancelledAsync(context);
            return new UnaryResponse();
        };
        using var call = host.Client.UnaryCallAsync(new UnaryRequest());

        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());
    }
}
