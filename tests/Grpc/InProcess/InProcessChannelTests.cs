using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.InProcess;

/// <summary>What is particular to the in-process channel.</summary>
public sealed class InProcessChannelTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ServiceProvider _services;
    private readonly Script _script;
    private readonly InProcessCallInvoker _invoker;

    public InProcessChannelTests()
    {
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton<Script>()
            .AddScoped<ScopedPart>()
            .AddInProcessGrpc()
            .BuildServiceProvider();
        var server = _services.GetRequiredService<InProcessServer>();
        server.MapService<ScriptedService>();
        _script = _services.GetRequiredService<Script>();
        _invoker = new InProcessCallInvoker(server);
    }

    private Protos.Interop.InteropClient Client => new(_invoker);

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Deadlines_follow_the_clock_of_the_host()
    {
        _script.Unary = async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new UnaryResponse();
        };
        using var call = Client.UnaryCallAsync(new UnaryRequest(), deadline: _time.GetUtcNow().UtcDateTime.AddDays(60));

        // Further away than a timer reaches.
        _time.Advance(TimeSpan.FromDays(59));
        Assert.False(call.ResponseAsync.IsCompleted);
        _time.Advance(TimeSpan.FromDays(1));

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Patience));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task A_deadline_in_local_time_is_refused()
        => await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await Client.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.Now.AddMinutes(1)));

    [Fact]
    public Task A_handler_that_does_not_wait_has_answered_when_the_call_is_made()
        // Away from the synchronization context of the test.
        => Task.Run(() =>
        {
            using var call = Client.UnaryCallAsync(new UnaryRequest());

            Assert.True(call.ResponseAsync.IsCompletedSuccessfully);
        });

    [Fact]
    public async Task Calls_may_nest_deeper_than_the_stack_reaches()
    {
        const int Depth = 20_000;
        _script.Unary = async (request, _) => request.ResponseSize == 0
            ? new UnaryResponse()
            : await Client.UnaryCallAsync(new UnaryRequest { ResponseSize = request.ResponseSize - 1 });

        await Client.UnaryCallAsync(new UnaryRequest { ResponseSize = Depth }).ResponseAsync.WaitAsync(Patience);
    }

    [Fact]
    public async Task Bytes_are_shared_and_not_copied()
    {
        var body = ByteString.CopyFrom(new byte[1000]);
        ByteString? received = null;
        _script.Unary = (request, _) =>
        {
            received = request.Payload.Body;
            return Task.FromResult(new UnaryResponse());
        };

        await Client.UnaryCallAsync(new UnaryRequest { Payload = new Payload { Body = body } });

        Assert.Same(body, received);
    }

    [Fact]
    public async Task What_a_handler_puts_into_the_flow_does_not_reach_its_caller()
    {
        var flow = new AsyncLocal<string?>();
        _script.Unary = (_, _) =>
        {
            flow.Value = "handler";
            return Task.FromResult(new UnaryResponse());
        };

        await Client.UnaryCallAsync(new UnaryRequest());

        Assert.Null(flow.Value);
        Assert.Null(AmbientCall.Current);
    }

    [Fact]
    public async Task A_caller_with_a_synchronization_context_may_block()
    {
        _script.Unary = async (_, _) =>
        {
            await Task.Yield();
            return new UnaryResponse { Payload = new Payload() };
        };

        var response = await Task.Factory.StartNew(
            () =>
            {
                SynchronizationContext.SetSynchronizationContext(new DeadSynchronizationContext());
                try
                {
                    return Client.UnaryCall(new UnaryRequest());
                }
                finally
                {
                    SynchronizationContext.SetSynchronizationContext(null);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).WaitAsync(Patience);

        Assert.NotNull(response.Payload);
    }

    [Fact]
    public async Task A_context_that_an_interceptor_replaced_still_finds_its_call()
    {
        await using var services = new ServiceCollection()
            .AddLogging().AddSingleton<Script>().AddScoped<ScopedPart>()
            .AddInProcessGrpc()
            .AddGrpcServer(grpc =>
            {
                grpc.Interceptors.Add<ContextReplacer>();
                grpc.Interceptors.Add<CallCases.Tracing>("after the replacement");
            })
            .BuildServiceProvider();
        var server = services.GetRequiredService<InProcessServer>();
        server.MapService<ScriptedService>();
        services.GetRequiredService<Script>().Unary = (_, context) => Task.FromResult(new UnaryResponse { Payload = new Payload { Body = ByteString.CopyFromUtf8(context.Peer) } });

        var response = await new Protos.Interop.InteropClient(new InProcessCallInvoker(server)).UnaryCallAsync(new UnaryRequest());

        Assert.Equal("replaced", response.Payload.Body.ToStringUtf8());
    }

    [Fact]
    public async Task A_call_is_one_span_of_the_trace()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == InProcessTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (spans)
                    spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var parent = new Activity("caller").Start();
        _script.Unary = (_, _) => throw new RpcException(new Status(StatusCode.Unavailable, "later"));

        await Assert.ThrowsAsync<RpcException>(async () => await Client.UnaryCallAsync(new UnaryRequest()));

        Activity span;
        lock (spans)
            span = Assert.Single(spans, span => span.TraceId == parent.TraceId);
        Assert.Equal(parent.SpanId, span.ParentSpanId);
        Assert.Equal("micro.testing.v1.Interop/UnaryCall", span.OperationName);
        Assert.Equal((int)StatusCode.Unavailable, span.GetTagItem("rpc.grpc.status_code"));
        Assert.Equal(ActivityStatusCode.Error, span.Status);
    }

    [Fact]
    public void A_class_that_is_no_service_is_refused()
    {
        var server = _services.GetRequiredService<InProcessServer>();

        var refused = Assert.Throws<InvalidOperationException>(server.MapService<InProcessChannelTests>);

        Assert.Contains(nameof(InProcessChannelTests), refused.Message, StringComparison.Ordinal);
    }

    private sealed class DeadSynchronizationContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
            // The thread that would run this is blocked for ever.
        }
    }

    internal sealed class ContextReplacer : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
            => continuation(request, new ReplacedContext(context));
    }

    private sealed class ReplacedContext(ServerCallContext inner) : ServerCallContext
    {
        protected override string MethodCore => inner.Method;

        protected override string HostCore => inner.Host;

        protected override string PeerCore => "replaced";

        protected override DateTime DeadlineCore => inner.Deadline;

        protected override Metadata RequestHeadersCore => inner.RequestHeaders;

        protected override CancellationToken CancellationTokenCore => inner.CancellationToken;

        protected override Metadata ResponseTrailersCore => inner.ResponseTrailers;

        protected override Status StatusCore { get => inner.Status; set => inner.Status = value; }

        protected override WriteOptions? WriteOptionsCore { get => inner.WriteOptions; set => inner.WriteOptions = value; }

        protected override AuthContext AuthContextCore => inner.AuthContext;

        protected override IDictionary<object, object> UserStateCore => inner.UserState;

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => inner.CreatePropagationToken(options);

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => inner.WriteResponseHeadersAsync(responseHeaders);
    }
}
