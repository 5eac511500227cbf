using System.Text.Json;
using OpenWop.Micro.Grpc.Tests.Hosting;

namespace OpenWop.Micro.Grpc.Tests.Interop;

/// <summary>The client of another implementation and our server on a shared port.</summary>
public sealed class NodeClientInteropTests(NodeClientInteropTests.NodeClient client) : IClassFixture<NodeClientInteropTests.NodeClient>
{
    [Theory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("compressed_unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("ping_pong")]
    [InlineData("empty_stream")]
    [InlineData("cancel_after_begin")]
    [InlineData("cancel_after_first_response")]
    [InlineData("timeout_on_sleeping_server")]
    [InlineData("custom_metadata")]
    [InlineData("status_code_and_message")]
    [InlineData("special_status_message")]
    [InlineData("unimplemented_method")]
    [InlineData("unimplemented_service")]
    public void A_case_of_another_client_passes(string name)
    {
        Assert.True(client.Outcomes.TryGetValue(name, out var error), $"The client did not run '{name}'.");
        Assert.True(error is null, error);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task A_client_that_knows_only_the_address_discovers_a_service_and_calls_it(string version)
    {
        await using var server = await TestHost.StartAsync();

        var lines = await NodeTools.RunAsync("reflection.mjs", server.Address.Authority, version);

        using var outcome = JsonDocument.Parse(Assert.Single(lines));
        Assert.Equal(42, outcome.RootElement.GetProperty("size").GetInt32());
        var services = outcome.RootElement.GetProperty("services").EnumerateArray().Select(service => service.GetString()).Order();
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "micro.testing.v1.Interop"],
            services);
    }

    /// <summary>One run of all cases: the name of a case, and why it failed or null.</summary>
    public sealed class NodeClient : IAsyncLifetime
    {
        internal IReadOnlyDictionary<string, string?> Outcomes { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await using var server = await TestHost.StartAsync();
            var lines = await NodeTools.RunAsync("client.mjs", server.Address.Authority);
            Outcomes = lines.Select(line => JsonSerializer.Deserialize<Dictionary<string, string>>(line)!)
                .ToDictionary(outcome => outcome["case"], outcome => outcome.GetValueOrDefault("error"));
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
