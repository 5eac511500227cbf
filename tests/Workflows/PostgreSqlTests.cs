using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Testing;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

/// <summary>Two instances of the service on one PostgreSQL database, where transactions run side by side.</summary>
public sealed class PostgreSqlTests : IAsyncLifetime
{
    private PostgreSqlServer _server = null!;
    private WorkflowsHost[] _hosts = [];

    private string Setting => $"OPENWOP_POSTGRES={_server.ConnectionString}";

    public async Task InitializeAsync()
    {
        _server = await PostgreSqlServer.StartAsync();
        var seeds = $"OPENWOP_FIXTURES={Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows")}";
        _hosts = await Task.WhenAll(StartAsync(null, Setting, seeds), StartAsync(null, Setting, seeds));
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Two_instances_keep_one_line_of_versions()
    {
        // Both have migrated and seeded at the same time.
        var seeded = await _hosts[0].Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "*", Limit = 500 });
        Assert.All(seeded.Definitions, definition => Assert.Equal((1, "*"), (definition.Version, definition.Owner)));
        Assert.Equal(Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows"), "*.json").Length, seeded.Definitions.Count);

        // Writers of a workflow that is new, without expectation: versions without gaps, one creation.
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _hosts[i % 2].PutAsync("w", Definition("w", $"Writer {i}"), requestId: $"r{i}")));
        Assert.Equal(Enumerable.Range(1, 20).Select(version => (long)version), replies.Select(reply => reply.Version).Order());
        Assert.Equal(1, replies.Count(reply => reply.Created));

        // The same request at both: one version.
        var twice = await Task.WhenAll(_hosts.Select(host => host.PutAsync("w", Definition("w", "Twice"), requestId: "twice")));
        Assert.Equal(twice[0], twice[1]);

        // The same expectation at both: one wins.
        var etag = (await _hosts[0].GetAsync("w")).Etag;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            try
            {
                await _hosts[i % 2].PutAsync("w", Definition("w", $"Expecting {i}"), ifMatch: etag);
                return true;
            }
            catch (global::Grpc.Core.RpcException)
            {
                return false;
            }
        }));
        Assert.Equal(1, outcomes.Count(won => won));

        // What one has written the other reads, byte for byte; ids are ordered by their bytes on every database.
        await _hosts[0].PutAsync("a_b", Definition("a_b"));
        await _hosts[0].PutAsync("a-c", Definition("a-c"));
        Assert.Equal(Definition("a_b"), (await _hosts[1].GetAsync("a_b")).Json.ToStringUtf8());
        var listed = await _hosts[1].Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "acme", Limit = 500, WithJson = true });
        var ids = listed.Definitions.Select(definition => definition.WorkflowId).ToArray();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Contains("a_b", ids);
    }
}
