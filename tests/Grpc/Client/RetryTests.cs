using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.SharedPort;
using OpenWop.Micro.Grpc.Tests.Calls;
using OpenWop.Micro.Grpc.Tests.Hosting;
using OpenWop.Micro.Grpc.Tests.Protos;

namespace OpenWop.Micro.Grpc.Tests.Client;

/// <summary>A call may be tried again only when it is certain that nobody carried it out.</summary>
public sealed class RetryTests
{
    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    public async Task A_server_that_refuses_as_unavailable_is_asked_again_unless_that_is_switched_off(bool retry, int expected)
    {
        var asked = 0;
        await using var host = await StartAsync((_, _) =>
        {
            asked++;
            throw new RpcException(new Status(StatusCode.Unavailable, "shutting down"));
        });
        await using var client = new ClientHost([host.Address], options => options.Retry = retry);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.Interop.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal(expected, asked);
    }

    [Theory]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.Aborted)]
    public async Task Any_other_status_is_final(StatusCode status)
    {
        var asked = 0;
        await using var host = await StartAsync((_, _) =>
        {
            asked++;
            throw new RpcException(new Status(status, "no"));
        });
        await using var client = new ClientHost([host.Address]);

        await Assert.ThrowsAsync<RpcException>(async () => await client.Interop.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_call_whose_connection_breaks_after_it_was_sent_is_not_sent_again()
    {
        var asked = 0;
        await using var host = await StartAsync(async (_, context) =>
        {
            asked++;
            var connection = (ConnectionContext)context.GetHttpContext().Features.Get<IConnectionItemsFeature>()!.Items["connection"]!;
            connection.Abort(new ConnectionAbortedException("pulled the plug"));
            await Task.Yield();
            return new UnaryResponse();
        });
        await using var client = new ClientHost([host.Address]);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.Interop.UnaryCallAsync(new UnaryRequest()));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal(1, asked);
    }

    private static Task<TestHost> StartAsync(Func<UnaryRequest, ServerCallContext, Task<UnaryResponse>> handler)
        => TestHost.StartAsync<ScriptedService>(builder =>
        {
            builder.Services.AddScoped<ScopedPart>().AddSingleton(new Script { Unary = handler });
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Use(next => connection =>
                {
                    connection.Items["connection"] = connection;
                    return next(connection);
                });
                endpoint.AcceptHttp2PriorKnowledge();
            }));
        });
}
