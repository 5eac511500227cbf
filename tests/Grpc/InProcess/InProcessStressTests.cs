using CsCheck;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Grpc.InProcess;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.InProcess;

/// <summary>Random calls: whatever the two sides do and when, nothing is lost, nothing hangs, both sides end.</summary>
public sealed class InProcessStressTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private enum ClientEnd
    {
        ReadToEnd,
        Cancel,
        Dispose,
        Deadline,
    }

    private enum HandlerEnd
    {
        Return,
        Throw,
        Fail,
        WaitForClient,
    }

    [Fact]
    public async Task Streams_deliver_everything_in_order()
    {
        await using var host = new Host();
        host.Script.Converse = async (requests, responses, _) =>
        {
            while (await requests.MoveNext(default))
                await responses.WriteAsync(new OutputResponse { Payload = requests.Current.Payload });
        };

        await Gen.Int[0, 200_000].Array[0, 120].SampleAsync(
            async sizes =>
            {
                using var call = host.Client.Converse();
                var writing = Task.Run(async () =>
                {
                    foreach (var size in sizes)
                        await call.RequestStream.WriteAsync(new OutputRequest { Payload = PayloadOf(size) });
                    await call.RequestStream.CompleteAsync();
                });

                var received = new List<int>();
                while (await call.ResponseStream.MoveNext(default).WaitAsync(Patience))
                    received.Add(call.ResponseStream.Current.Payload.Body.Length);
                await writing;
                Assert.Equal(sizes, received);
            },
            iter: 50,
            threads: 2);
    }

    [Fact]
    public async Task Every_call_ends_on_both_sides()
    {
        var plans =
            from clientEnd in Gen.Enum<ClientEnd>()
            from handlerEnd in Gen.Enum<HandlerEnd>()
            from clientSteps in Gen.Int[0, 20]
            from handlerSteps in Gen.Int[0, 20]
            from size in Gen.Int[0, 100_000]
            select (clientEnd, handlerEnd, clientSteps, handlerSteps, size);

        await plans.SampleAsync(
            async plan =>
            {
                await using var host = new Host();
                var handlerEnded = new TaskCompletionSource();
                host.Script.Produce = async (_, responses, context) =>
                {
                    try
                    {
                        for (var i = 0; i < plan.handlerSteps; i++)
                            await responses.WriteAsync(new OutputResponse { Payload = PayloadOf(plan.size) });
                        await EndHandlerAsync(plan.handlerEnd, context);
                    }
                    finally
                    {
                        handlerEnded.SetResult();
                    }
                };
                using var cancellation = new CancellationTokenSource();
                using var call = host.Client.ProduceOutput(
                    new OutputRequest(), deadline: host.Time.GetUtcNow().UtcDateTime.AddHours(1), cancellationToken: cancellation.Token);
                Action end = plan.clientEnd switch
                {
                    ClientEnd.Cancel => cancellation.Cancel,
                    ClientEnd.Deadline => () => host.Time.Advance(TimeSpan.FromHours(2)),
                    _ => call.Dispose,
                };

                if (plan is { clientEnd: ClientEnd.ReadToEnd, handlerEnd: not HandlerEnd.WaitForClient })
                    await ReadToEndAsync(call, plan.handlerSteps, plan.handlerEnd).WaitAsync(Patience);
                else
                    // The read after the last message waits for ever if nothing ends the call.
                    await ReadSomeAsync(call, Math.Min(plan.clientSteps, plan.handlerSteps + 1), end).WaitAsync(Patience);

                call.Dispose();
                await handlerEnded.Task.WaitAsync(Patience);
            },
            iter: 400,
            threads: 4);
    }

    private static async Task ReadToEndAsync(AsyncServerStreamingCall<OutputResponse> call, int messages, HandlerEnd end)
    {
        for (var i = 0; i < messages; i++)
            Assert.True(await call.ResponseStream.MoveNext(default));

        if (end == HandlerEnd.Return)
        {
            Assert.False(await call.ResponseStream.MoveNext(default));
            return;
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(end == HandlerEnd.Fail ? StatusCode.Aborted : StatusCode.Unknown, failure.StatusCode);
    }

    /// <summary>Reads until the client has had enough, which may be while a read waits.</summary>
    private static async Task ReadSomeAsync(AsyncServerStreamingCall<OutputResponse> call, int steps, Action end)
    {
        try
        {
            for (var i = 0; i < steps; i++)
            {
                var read = call.ResponseStream.MoveNext(default);
                if (i == steps - 1)
                    end();
                if (!await read)
                    return;
            }
        }
        catch (RpcException)
        {
            // The handler failed, or this side ended the call.
        }
    }

    private static Task EndHandlerAsync(HandlerEnd end, ServerCallContext context) => end switch
    {
        HandlerEnd.Throw => throw new InvalidOperationException("planned"),
        HandlerEnd.Fail => throw new RpcException(new Status(StatusCode.Aborted, "planned")),
        HandlerEnd.WaitForClient => Task.Delay(Timeout.Infinite, context.CancellationToken),
        _ => Task.CompletedTask,
    };

    private static Payload PayloadOf(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };

    /// <summary>An in-process server with a clock of its own.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Host()
        {
            _services = new ServiceCollection()
                .AddLogging().AddSingleton<TimeProvider>(Time).AddSingleton<Script>().AddScoped<ScopedPart>().AddInProcessGrpc()
                .BuildServiceProvider();
            var server = _services.GetRequiredService<InProcessServer>();
            server.MapService<ScriptedService>();
            Client = new Protos.Interop.InteropClient(new InProcessCallInvoker(server));
        }

        public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

        public Script Script => _services.GetRequiredService<Script>();

        public Protos.Interop.InteropClient Client { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
