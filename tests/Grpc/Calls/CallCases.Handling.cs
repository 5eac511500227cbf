using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>How calls are handled: services, interceptors, streams.</summary>
public abstract partial class CallCases
{
    [Fact]
    public async Task Every_call_has_a_service_and_a_scope_of_its_own()
    {
        await using var host = await StartAsync();

        await host.Client.UnaryCallAsync(new UnaryRequest());
        await host.Client.UnaryCallAsync(new UnaryRequest());
        string[] oneCall = ["service created", "service disposed", "scope with 1 user disposed"];
        await UntilAsync(() => host.Script.Lifetimes.Count == 6);

        Assert.Equal([.. oneCall, .. oneCall], host.Script.Lifetimes);
    }

    [Fact]
    public async Task Server_interceptors_run_in_the_order_of_their_registration()
    {
        await using var host = await StartAsync(builder => builder.Services.AddGrpcServer(AddTracing));
        using var unary = host.Client.UnaryCallAsync(new UnaryRequest());
        await unary;
        using var collect = host.Client.CollectInput();
        await collect;
        using var produce = host.Client.ProduceOutput(new OutputRequest());
        Assert.False(await produce.ResponseStream.MoveNext(default));
        using var converse = host.Client.Converse();
        Assert.False(await converse.ResponseStream.MoveNext(default));

        Assert.All(
            [unary.GetTrailers(), collect.GetTrailers(), produce.GetTrailers(), converse.GetTrailers()],
            trailers => Assert.Equal(["outer", "inner"], trailers.Where(entry => entry.Key == "passed").Select(entry => entry.Value)));

        static void AddTracing(GrpcServiceOptions grpc)
        {
            grpc.Interceptors.Add<Tracing>("outer");
            grpc.Interceptors.Add<Tracing>("inner");
        }
    }

    [Fact]
    public async Task Client_interceptors_wrap_the_channel()
    {
        await using var host = await StartAsync(builder => builder.Services.Configure<ServiceGrpcClientOptions>("interop", options =>
        {
            options.Interceptors.Add(_ => new HeaderSetter("outer"));
            options.Interceptors.Add(_ => new HeaderSetter("inner"));
        }));
        string[] seen = [];
        host.Script.Unary = (_, context) =>
        {
            // Several values of a header may arrive as one text with commas.
            seen = [.. context.RequestHeaders.Where(header => header.Key == "set-by").SelectMany(header => header.Value.Split(',', StringSplitOptions.TrimEntries))];
            return Task.FromResult(new UnaryResponse());
        };

        await host.Client.UnaryCallAsync(new UnaryRequest());

        Assert.Equal(["outer", "inner"], seen);
    }

    [Fact]
    public async Task Response_headers_arrive_before_the_response()
    {
        await using var host = await StartAsync();
        var release = new TaskCompletionSource();
        Exception? second = null;
        host.Script.Unary = async (_, context) =>
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "early", "yes" } });
            second = await Record.ExceptionAsync(() => context.WriteResponseHeadersAsync([]));
            await release.Task;
            return new UnaryResponse();
        };
        using var call = host.Client.UnaryCallAsync(new UnaryRequest());

        var headers = await call.ResponseHeadersAsync.WaitAsync(Patience);
        Assert.False(call.ResponseAsync.IsCompleted);
        release.SetResult();
        await call;

        Assert.Equal("yes", headers.GetValue("early"));
        Assert.IsType<InvalidOperationException>(second);
    }

    [Fact]
    public async Task A_caller_that_does_not_read_slows_the_handler_down()
    {
        const int MessageCount = 5000;
        await using var host = await StartAsync();
        var written = 0;
        host.Script.Produce = async (_, responses, _) =>
        {
            for (; written < MessageCount; written++)
                await responses.WriteAsync(new OutputResponse { Payload = PayloadOf(64 * 1024) });
        };
        using var call = host.Client.ProduceOutput(new OutputRequest());
        for (var i = 0; i < 10; i++)
            Assert.True(await call.ResponseStream.MoveNext(default));

        call.Dispose();

        Assert.True(written < MessageCount, "300 MiB were written although nobody read them.");
    }

    [Fact]
    public async Task A_handler_that_does_not_read_slows_the_caller_down()
    {
        await using var host = await StartAsync();
        var release = new TaskCompletionSource();
        host.Script.Collect = async (requests, _) =>
        {
            await release.Task;
            var count = 0;
            while (await requests.MoveNext(default))
                count++;
            return new InputSummary { TotalSize = count };
        };
        using var call = host.Client.CollectInput();

        var sent = 0;
        Task write;
        do
        {
            write = call.RequestStream.WriteAsync(new InputRequest { Payload = PayloadOf(64 * 1024) });
            sent++;
            // A write that is let through completes at once or after a round through the connection.
            await Task.WhenAny(write, Task.Delay(TimeSpan.FromMilliseconds(300)));
        }
        while (write.IsCompleted && sent < 5000);

        Assert.True(sent < 5000, "300 MiB were sent although nobody read them.");
        release.SetResult();
        await write.WaitAsync(Patience);
        await call.RequestStream.CompleteAsync();
        Assert.Equal(sent, (await call.ResponseAsync.WaitAsync(Patience)).TotalSize);
    }

    [Fact]
    public async Task A_handler_may_end_before_it_has_read_all_requests()
    {
        await using var host = await StartAsync();
        host.Script.Collect = async (requests, _) =>
        {
            await requests.MoveNext(default);
            throw new RpcException(new Status(StatusCode.InvalidArgument, "enough"));
        };
        using var call = host.Client.CollectInput();
        await call.RequestStream.WriteAsync(new InputRequest { Payload = PayloadOf(1) });

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Patience));
        await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new InputRequest { Payload = PayloadOf(1) }));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task A_stream_takes_one_write_at_a_time_and_none_after_its_end()
    {
        await using var host = await StartAsync();
        host.Script.Converse = async (requests, _, context) =>
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
            }
        };
        using var call = host.Client.Converse();
        await call.RequestStream.WriteAsync(new OutputRequest());
        await call.RequestStream.CompleteAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new OutputRequest()));
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task What_one_side_does_with_its_message_does_not_reach_the_other()
    {
        await using var host = await StartAsync();
        var cached = new UnaryResponse { Payload = PayloadOf(1) };
        host.Script.Unary = (request, _) =>
        {
            request.ResponseStatus.Message = "changed by the handler";
            return Task.FromResult(cached);
        };
        var request = new UnaryRequest { ResponseStatus = new EchoStatus { Message = "original" } };

        var response = await host.Client.UnaryCallAsync(request);
        response.Payload = null;

        Assert.Equal("original", request.ResponseStatus.Message);
        Assert.NotNull(cached.Payload);
    }

    [Fact]
    public async Task Many_calls_run_side_by_side()
    {
        await using var host = await StartAsync();
        host.Script.Unary = async (request, _) =>
        {
            await Task.Yield();
            return new UnaryResponse { Payload = PayloadOf(request.ResponseSize) };
        };

        var sizes = await Task.WhenAll(Enumerable.Range(0, 500).Select(async size =>
            (await host.Client.UnaryCallAsync(new UnaryRequest { ResponseSize = size })).Payload.Body.Length));

        Assert.Equal(Enumerable.Range(0, 500), sizes);
    }

    [Fact]
    public async Task A_blocking_call_returns_the_response()
    {
        await using var host = await StartAsync();
        host.Script.Unary = async (_, _) =>
        {
            await Task.Yield();
            return new UnaryResponse { Payload = PayloadOf(7) };
        };

        var response = await Task.Run(() => host.Client.UnaryCall(new UnaryRequest()));

        Assert.Equal(7, response.Payload.Body.Length);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), limit.Token);
    }

    private sealed class HeaderSetter(string name) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var headers = new Metadata();
            foreach (var header in context.Options.Headers ?? [])
                headers.Add(header);
            headers.Add("set-by", name);
            return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(
                context.Method, context.Host, context.Options.WithHeaders(headers)));
        }
    }

    /// <summary>Leaves a trace in the trailers.</summary>
    internal sealed class Tracing(string name) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
            => continuation(request, Pass(context));

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
            => continuation(requestStream, Pass(context));

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
            => continuation(request, responseStream, Pass(context));

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
            => continuation(requestStream, responseStream, Pass(context));

        private ServerCallContext Pass(ServerCallContext context)
        {
            context.ResponseTrailers.Add("passed", name);
            return context;
        }
    }
}
