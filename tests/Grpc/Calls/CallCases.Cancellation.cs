using Grpc.Core;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Calls;

/// <summary>Deadlines and cancellation, of a call and of the calls that its handler makes.</summary>
public abstract partial class CallCases
{
    [Fact]
    public async Task The_handler_knows_the_deadline_of_the_call()
    {
        await using var host = await StartAsync();
        var seen = new List<DateTime>();
        host.Script.Unary = (_, context) =>
        {
            seen.Add(context.Deadline);
            return Task.FromResult(new UnaryResponse());
        };
        var deadline = DateTime.UtcNow.AddHours(1);

        await host.Client.UnaryCallAsync(new UnaryRequest(), deadline: deadline);
        await host.Client.UnaryCallAsync(new UnaryRequest());

        Assert.InRange(seen[0], deadline.AddMinutes(-5), deadline.AddMinutes(5));
        Assert.Equal(DateTime.MaxValue, seen[1]);
    }

    [Fact]
    public async Task A_caller_whose_deadline_passes_does_not_wait_for_the_handler()
    {
        await using var host = await StartAsync();
        var entered = false;
        var told = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        host.Script.Unary = async (_, context) =>
        {
            entered = true;
            context.CancellationToken.Register(() => told.TrySetResult());
            await release.Task;
            return new UnaryResponse();
        };

        // On a slow machine the deadline may pass on the way to the handler; then with more time.
        for (var time = TimeSpan.FromMilliseconds(100); !entered; time *= 4)
        {
            using var call = host.Client.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow + time);

            var failure = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseAsync.WaitAsync(Patience));

            Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
            Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        }

        await told.Task.WaitAsync(Patience);
        release.SetResult();
    }

    [Fact]
    public async Task A_call_whose_deadline_has_passed_does_not_reach_the_handler()
    {
        await using var host = await StartAsync();
        var reached = false;
        host.Script.Unary = (_, _) =>
        {
            reached = true;
            return Task.FromResult(new UnaryResponse());
        };

        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.False(reached);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_that_gives_up_does_not_wait_for_the_handler_and_the_handler_is_told(bool disposing)
    {
        await using var host = await StartAsync();
        var entered = new TaskCompletionSource();
        var told = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        host.Script.Unary = async (_, context) =>
        {
            context.CancellationToken.Register(told.SetResult);
            entered.SetResult();
            await release.Task;
            return new UnaryResponse();
        };
        using var cancellation = new CancellationTokenSource();
        using var call = host.Client.UnaryCallAsync(new UnaryRequest(), cancellationToken: cancellation.Token);
        var response = call.ResponseAsync;
        await entered.Task.WaitAsync(Patience);

        if (disposing)
            call.Dispose();
        else
            await cancellation.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => response.WaitAsync(Patience));
        await told.Task.WaitAsync(Patience);
        release.SetResult();
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Fact]
    public async Task A_call_with_a_cancelled_token_does_not_reach_the_handler()
    {
        await using var host = await StartAsync();
        var reached = false;
        host.Script.Unary = (_, _) =>
        {
            reached = true;
            return Task.FromResult(new UnaryResponse());
        };

        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client.UnaryCallAsync(new UnaryRequest(), cancellationToken: new CancellationToken(canceled: true)));

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.False(reached);
    }

    [Fact]
    public async Task A_handler_that_reads_is_woken_when_the_caller_gives_up()
    {
        await using var host = await StartAsync();
        var entered = new TaskCompletionSource();
        var ended = new TaskCompletionSource<Exception>();
        host.Script.Converse = async (requests, _, _) =>
        {
            var read = requests.MoveNext(default);
            entered.SetResult();
            try
            {
                await read;
            }
            catch (Exception error)
            {
                ended.SetResult(error);
                throw;
            }
        };
        using (var call = host.Client.Converse())
            await entered.Task.WaitAsync(Patience);

        var error = await ended.Task.WaitAsync(Patience);
        Assert.True(error is OperationCanceledException or IOException, error.ToString());
    }

    [Fact]
    public async Task Nested_calls_inherit_the_deadline()
    {
        await using var host = await StartAsync();
        var seen = new List<DateTime>();
        host.Script.Unary = async (request, context) =>
        {
            seen.Add(context.Deadline);
            if (request.ResponseSize > 0)
            {
                // The earlier one counts: that of the call, then that of the nested call.
                await host.Client.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow.AddHours(20));
                await host.Client.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow.AddHours(1));
                await host.Client.UnaryCallAsync(new UnaryRequest());
            }

            return new UnaryResponse();
        };

        await host.Client.UnaryCallAsync(new UnaryRequest { ResponseSize = 1 }, deadline: DateTime.UtcNow.AddHours(10));

        var hours = seen.Select(deadline => (int)Math.Round((deadline - DateTime.UtcNow).TotalHours));
        Assert.Equal([10, 10, 1, 10], hours);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nested_calls_are_cancelled_with_the_call(bool withOwnToken)
    {
        await using var host = await StartAsync();
        using var own = new CancellationTokenSource();
        var entered = new TaskCompletionSource();
        var outer = new TaskCompletionSource<StatusCode>();
        host.Script.Unary = async (request, context) =>
        {
            if (request.ResponseSize == 0)
            {
                entered.SetResult();
                await UntilCancelledAsync(context);
                return new UnaryResponse();
            }

            try
            {
                return await host.Client.UnaryCallAsync(new UnaryRequest(), cancellationToken: withOwnToken ? own.Token : default);
            }
            catch (RpcException failure)
            {
                outer.SetResult(failure.StatusCode);
                throw;
            }
        };
        using var cancellation = new CancellationTokenSource();
        using var call = host.Client.UnaryCallAsync(new UnaryRequest { ResponseSize = 1 }, cancellationToken: cancellation.Token);
        await entered.Task.WaitAsync(Patience);

        await cancellation.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, await outer.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_nested_call_can_be_cancelled_alone()
    {
        await using var host = await StartAsync();
        using var own = new CancellationTokenSource();
        host.Script.Unary = async (request, context) =>
        {
            if (request.ResponseSize == 0)
            {
                await own.CancelAsync();
                await UntilCancelledAsync(context);
                return new UnaryResponse();
            }

            var nested = await Assert.ThrowsAsync<RpcException>(
                async () => await host.Client.UnaryCallAsync(new UnaryRequest(), cancellationToken: own.Token));
            return new UnaryResponse { Payload = PayloadOf((int)nested.StatusCode) };
        };

        var response = await host.Client.UnaryCallAsync(new UnaryRequest { ResponseSize = 1 }, deadline: DateTime.UtcNow.AddMinutes(5));

        Assert.Equal((int)StatusCode.Cancelled, response.Payload.Body.Length);
    }

    [Fact]
    public async Task Work_that_left_the_call_is_not_cancelled_with_it()
    {
        await using var host = await StartAsync();
        var work = new TaskCompletionSource<Task<DateTime>>();
        var release = new TaskCompletionSource();
        var nested = new TaskCompletionSource<DateTime>();
        host.Script.Unary = async (request, context) =>
        {
            if (request.ResponseSize == 0)
            {
                nested.TrySetResult(context.Deadline);
                return new UnaryResponse();
            }

            work.SetResult(Task.Run(async () =>
            {
                AmbientCall.Leave();
                await release.Task;
                await host.Client.UnaryCallAsync(new UnaryRequest());
                return await nested.Task;
            }));
            Assert.NotNull(AmbientCall.Current);
            await UntilCancelledAsync(context);
            return new UnaryResponse();
        };
        using (var call = host.Client.UnaryCallAsync(new UnaryRequest { ResponseSize = 1 }, deadline: DateTime.UtcNow.AddMinutes(5)))
            await work.Task.WaitAsync(Patience);

        release.SetResult();

        Assert.Equal(DateTime.MaxValue, await (await work.Task).WaitAsync(Patience));
    }

    [Fact]
    public async Task Work_that_outlives_the_handler_is_in_no_call_any_more()
    {
        await using var host = await StartAsync();
        var release = new TaskCompletionSource();
        Task<ServerCallContext?>? work = null;
        host.Script.Unary = (_, _) =>
        {
            work = Task.Run(async () =>
            {
                await release.Task;
                return AmbientCall.Current;
            });
            return Task.FromResult(new UnaryResponse());
        };

        await host.Client.UnaryCallAsync(new UnaryRequest());
        release.SetResult();

        Assert.Null(await work!.WaitAsync(Patience));
        Assert.Null(AmbientCall.Current);
    }
}
