using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

public sealed class TenantsTests
{
    [Fact]
    public async Task A_tenant_never_sees_the_definitions_of_another()
    {
        await using var host = await StartAsync();
        await host.PutAsAsync("acme", "w", Definition("w", "Acme"));
        await host.PutAsAsync("umbrella", "w", Definition("w", "Umbrella"));
        await host.PutAsAsync("umbrella", "w", Definition("w", "Umbrella 2"));

        Assert.Equal(Definition("w", "Acme"), (await host.GetAsync("w", tenant: "acme")).Json.ToStringUtf8());
        Assert.Equal((2, "umbrella"), await VersionAndOwnerAsync(host, "umbrella"));
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 2, tenant: "acme"))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", tenant: "third"))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 1, tenant: "acme", owner: "umbrella"))).Code);
        Assert.Empty((await ListAsync(host, "third")).Definitions);
    }

    [Fact]
    public async Task Seeded_definitions_are_everybodys_until_a_tenant_has_its_own()
    {
        await using var host = await StartAsync();
        await host.PutAsAsync("*", "w", Definition("w", "Seed 1"));
        await host.PutAsAsync("*", "w", Definition("w", "Seed 2"));
        Assert.Equal((2, "*"), await VersionAndOwnerAsync(host, "acme"));
        Assert.Equal(Definition("w", "Seed 1"), (await host.GetAsync("w", version: 1, tenant: "acme")).Json.ToStringUtf8());

        await host.PutAsAsync("acme", "w", Definition("w", "Own"));

        Assert.Equal((1, "acme"), await VersionAndOwnerAsync(host, "acme"));
        Assert.Equal(Definition("w", "Own"), (await host.GetAsync("w", version: 1, tenant: "acme")).Json.ToStringUtf8());
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 2, tenant: "acme"))).Code);
        Assert.Equal((2, "*"), await VersionAndOwnerAsync(host, "umbrella"));
    }

    [Fact]
    public async Task A_run_that_pinned_a_seeded_version_still_finds_it_when_the_tenant_has_its_own()
    {
        await using var host = await StartAsync();
        await host.PutAsAsync("*", "w", Definition("w", "Seed"));
        await host.PutAsAsync("acme", "w", Definition("w", "Own"));

        Assert.Equal(Definition("w", "Seed"), (await host.GetAsync("w", version: 1, tenant: "acme", owner: "*")).Json.ToStringUtf8());
        Assert.Equal(Definition("w", "Own"), (await host.GetAsync("w", version: 1, tenant: "acme", owner: "acme")).Json.ToStringUtf8());
    }

    [Fact]
    public async Task The_same_request_id_of_two_tenants_is_two_requests()
    {
        await using var host = await StartAsync();
        await host.PutAsAsync("acme", "w", Definition("w", "Acme"), requestId: "r");
        await host.PutAsAsync("umbrella", "w", Definition("w", "Umbrella"), requestId: "r");

        Assert.Equal(Definition("w", "Umbrella"), (await host.GetAsync("w", tenant: "umbrella")).Json.ToStringUtf8());
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_in_the_order_of_ids()
    {
        await using var host = await StartAsync();
        foreach (var id in (string[])["a", "c", "e", "g"])
        {
            await host.PutAsAsync("*", id, Definition(id, "Seed"));
        }

        foreach (var id in (string[])["b", "c", "f"])
        {
            await host.PutAsAsync("acme", id, Definition(id, "Own"));
        }

        var pages = new List<string>();
        var after = "";
        do
        {
            var page = await ListAsync(host, "acme", after, limit: 2);
            pages.Add(string.Join(',', page.Definitions.Select(definition => $"{definition.WorkflowId}:{definition.Owner}")));
            Assert.All(page.Definitions, definition => Assert.True(definition.Json.IsEmpty));
            after = page.Next;
        }
        while (after.Length > 0);

        Assert.Equal(["a:*,b:acme", "c:acme,e:*", "f:acme,g:*"], pages);
        Assert.Equal(4, (await ListAsync(host, "*")).Definitions.Count);
    }

    [Fact]
    public async Task A_page_with_documents_is_bounded_in_bytes()
    {
        await using var host = await StartAsync();
        foreach (var id in (string[])["a", "b", "c"])
        {
            await host.PutAsAsync("acme", id, Definition(id, padding: 2 << 20));
        }

        var page = await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "acme", WithJson = true });
        Assert.Equal("a", Assert.Single(page.Definitions).WorkflowId);
        Assert.Equal(Definition("a", padding: 2 << 20), page.Definitions[0].Json.ToStringUtf8());
        var rest = await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "acme", WithJson = true, After = page.Next });
        Assert.Equal("b", rest.Next);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(501)]
    public async Task A_page_of_another_size_is_refused(int limit)
    {
        await using var host = await StartAsync();

        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => ListAsync(host, "acme", limit: limit))).Code);
    }

    private static async Task<ListDefinitionsReply> ListAsync(WorkflowsHost host, string tenant, string after = "", int limit = 0) =>
        await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = tenant, After = after, Limit = limit });

    private static async Task<(long Version, string Owner)> VersionAndOwnerAsync(WorkflowsHost host, string tenant)
    {
        var definition = await host.GetAsync("w", tenant: tenant);
        return (definition.Version, definition.Owner);
    }
}
