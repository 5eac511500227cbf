using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Client;

/// <summary>An instance whose health is fine and whose calls get no answer, as when everything behind it hangs.</summary>
public sealed class DeafInstanceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Calls_go_past_an_instance_that_lets_them_wait_and_come_back_when_it_answers()
    {
        var (deaf, asked) = (true, 0);
        await using var first = await StartAsync(1, () => Task.CompletedTask);
        await using var second = await StartAsync(2, () =>
        {
            Interlocked.Increment(ref asked);
            return Volatile.Read(ref deaf) ? Task.Delay(Timeout.Infinite) : Task.CompletedTask;
        });
        await using var client = new ClientHost([first.Address, second.Address]);

        // Until its breaker opens every other call waits for its deadline.
        using var limit = new CancellationTokenSource(Patience);
        while (Volatile.Read(ref asked) < CircuitBreaker.Threshold)
            await TryAskAsync(client, limit.Token);

        for (var i = 0; i < 20; i++)
            Assert.Equal(1, await TryAskAsync(client, limit.Token));

        Volatile.Write(ref deaf, false);
        while (await TryAskAsync(client, limit.Token) != 2)
            await Task.Delay(5, limit.Token);
    }

    [Fact]
    public async Task Who_knows_the_instances_is_asked_for_them_and_hears_of_one_that_does_not_answer()
    {
        await using var first = await StartAsync(1, () => Task.CompletedTask);
        await using var second = await StartAsync(2, () => Task.Delay(Timeout.Infinite));
        var instances = new TwoInstances(first.Address, second.Address);
        await using var client = new ClientHost([first.Address, second.Address], options => options.Instances = (_, _) => instances);

        using var limit = new CancellationTokenSource(Patience);
        while (instances.Deaf is null)
            await TryAskAsync(client, limit.Token);

        Assert.Equal(second.Address, new Uri(instances.Deaf.GetLeftPart(UriPartial.Authority)));
        for (var i = 0; i < 20; i++)
            Assert.Equal(1, await TryAskAsync(client, limit.Token));
    }

    private static Task<TestHost> StartAsync(int number, Func<Task> before) => TestHost.StartAsync<ScriptedService>(
        builder => builder.Services.AddScoped<ScopedPart>().AddSingleton(new Script
        {
            Unary = async (_, context) =>
            {
                await before().WaitAsync(context.CancellationToken);
                return new UnaryResponse { Payload = new Payload { Body = Google.Protobuf.ByteString.CopyFrom((byte)number) } };
            },
        }));

    /// <summary>The number of the instance that answers; null when none does.</summary>
    private static async Task<int?> TryAskAsync(ClientHost client, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await client.Interop.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow.AddMilliseconds(400), cancellationToken: cancellationToken);
            return answer.Payload.Body[0];
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.DeadlineExceeded)
        {
            return null;
        }
    }

    /// <summary>Leaves an instance out for good when it does not answer.</summary>
    private sealed class TwoInstances(Uri first, Uri second) : ServiceInstances
    {
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Uri? _deaf;

        public Uri? Deaf => Volatile.Read(ref _deaf);

        public override async IAsyncEnumerable<IReadOnlyList<Uri>> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return [first, second];
            await _left.Task.WaitAsync(cancellationToken);
            yield return [first];
        }

        public override void LeftAlone(Uri instance, TimeSpan pause)
        {
            Volatile.Write(ref _deaf, instance);
            _left.TrySetResult();
        }
    }
}
