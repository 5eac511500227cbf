using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Client;

/// <summary>A service with several instances, of which some come and go.</summary>
public sealed class SeveralAddressesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Calls_go_round_all_instances_and_around_those_that_are_gone()
    {
        await using var first = await StartInstanceAsync(1);
        var second = await StartInstanceAsync(2);
        var address = second.Address;
        await using var client = new ClientHost([first.Address, address]);

        // Both are used.
        await UntilAnsweredByAsync(client, 1);
        await UntilAnsweredByAsync(client, 2);

        // One goes: no call fails.
        await second.DisposeAsync();
        for (var i = 0; i < 50; i++)
            Assert.Equal(1, await AskAsync(client));

        // It comes back: it is used again.
        await using var again = await RestartInstanceAsync(2, address);
        await UntilAnsweredByAsync(client, 2);
        await UntilAnsweredByAsync(client, 1);
    }

    [Fact]
    public async Task A_call_fails_soon_when_nobody_is_there()
    {
        var gone = await StartInstanceAsync(1);
        var address = gone.Address;
        await gone.DisposeAsync();
        await using var client = new ClientHost([address]);

        var failure = await Assert.ThrowsAsync<RpcException>(() => AskAsync(client).WaitAsync(Patience));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task A_name_that_is_resolved_again_and_again_serves_as_an_address()
    {
        await using var host = await StartInstanceAsync(3);
        await using var client = new ClientHost([new Uri($"dns:///localhost:{host.Address.Port}")]);

        Assert.Equal(3, await AskAsync(client));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://a:1,https://b:1")]
    [InlineData("ftp://a:1")]
    [InlineData("dns:///a:1,dns:///b:1")]
    public void Addresses_that_make_no_sense_are_refused(string addresses)
        => Assert.Throws<ArgumentException>(() => ServiceAddresses.Parse(addresses));

    private static Task<TestHost> StartInstanceAsync(int number, Uri? address = null)
        => TestHost.StartAsync<ScriptedService>(
            builder => builder.Services.AddScoped<ScopedPart>().AddSingleton(new Script
            {
                Unary = (_, _) => Task.FromResult(new UnaryResponse { Payload = new Payload { Body = Google.Protobuf.ByteString.CopyFrom((byte)number) } }),
            }),
            url: address?.ToString() ?? "http://127.0.0.1:0");

    /// <summary>On the same port, which something else on the machine may have borrowed for a moment.</summary>
    private static async Task<TestHost> RestartInstanceAsync(int number, Uri address)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                return await StartInstanceAsync(number, address);
            }
            catch (IOException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
            }
        }
    }

    private static async Task<int> AskAsync(ClientHost client)
        => (await client.Interop.UnaryCallAsync(new UnaryRequest(), deadline: DateTime.UtcNow + Patience)).Payload.Body[0];

    private static async Task UntilAnsweredByAsync(ClientHost client, int number)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (await AskAsync(client) != number)
            await Task.Delay(TimeSpan.FromMilliseconds(5), limit.Token);
    }
}
