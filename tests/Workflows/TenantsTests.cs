using Grpc.Core;
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
        await host.PutAsync("w", Definition("w", "Acme"), tenant: "acme");
        await host.PutAsync("w", Definition("w", "Umbrella"), tenant: "umbrella");
        await host.PutAsync("w", Definition("w", "Umbrella 2"), tenant: "umbrella");

        Assert.Equal(Definition("w", "Acme"), (await host.GetAsync("w", tenant: "acme")).Json.ToStringUtf8());
        Assert.Equal((2, "umbrella"), await VersionAndOwnerAsync(host, "umbrella"));
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 2, tenant: "acme"))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", tenant: "third"))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 1, tenant: "acme", owner: "umbrella"))).Code);
        var user = await host.UserAsync("acme");
        Assert.Equal("acme", (await host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w" }, user)).Owner);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(async () =>
            await host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w", Version = 2 }, user))).Code);
        Assert.Empty((await ListAsync(host, "third")).Definitions);
    }

    [Fact]
    public async Task A_user_cannot_name_another_tenant_and_a_service_must_name_one()
    {
        await using var host = await StartAsync();
        await host.PutAsync("w", Definition("w"), tenant: "umbrella");
        var user = await host.UserAsync("acme");

        Assert.Equal(StatusCode.PermissionDenied, await StatusOfAsync(() => host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w", Tenant = "umbrella" }, user)));
        Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(() => host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w" })));
        Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(() => host.Client.PutDefinitionAsync(new PutDefinitionRequest { WorkflowId = "w" })));
    }

    [Fact]
    public async Task A_user_needs_the_scope_of_what_it_does()
    {
        await using var host = await StartAsync();
        var reader = await host.UserAsync("acme", "manifest:read");
        var writer = await host.UserAsync("acme", "workflows:write");
        var put = new PutDefinitionRequest { WorkflowId = "w", Json = Google.Protobuf.ByteString.CopyFromUtf8(Definition("w")) };

        var refused = await Refused.ByAsync(async () => await host.Client.PutDefinitionAsync(put, reader));
        Assert.Equal((ErrorCodes.Forbidden, "workflows:write"), (refused.Code, (string?)refused.Details!["scopeRequired"]));
        Assert.True((await host.Client.PutDefinitionAsync(put, writer)).Created);
        refused = await Refused.ByAsync(async () => await host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w" }, writer));
        Assert.Equal((ErrorCodes.Forbidden, "manifest:read"), (refused.Code, (string?)refused.Details!["scopeRequired"]));
        Assert.Equal(1, (await host.Client.GetDefinitionAsync(new GetDefinitionRequest { WorkflowId = "w" }, reader)).Version);
    }

    [Fact]
    public async Task Seeded_definitions_are_everybodys_until_a_tenant_has_its_own()
    {
        await using var host = await StartAsync();
        await host.SeedAsync("w", Definition("w", "Seed 1"));
        await host.SeedAsync("w", Definition("w", "Seed 2"));
        Assert.Equal((2, "*"), await VersionAndOwnerAsync(host, "acme"));
        Assert.Equal(Definition("w", "Seed 1"), (await host.GetAsync("w", version: 1, tenant: "acme")).Json.ToStringUtf8());

        await host.PutAsync("w", Definition("w", "Own"), tenant: "acme");

        Assert.Equal((1, "acme"), await VersionAndOwnerAsync(host, "acme"));
        Assert.Equal(Definition("w", "Own"), (await host.GetAsync("w", version: 1, tenant: "acme")).Json.ToStringUtf8());
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: 2, tenant: "acme"))).Code);
        Assert.Equal((2, "*"), await VersionAndOwnerAsync(host, "umbrella"));
    }

    [Fact]
    public async Task A_run_that_pinned_a_seeded_version_still_finds_it_when_the_tenant_has_its_own()
    {
        await using var host = await StartAsync();
        await host.SeedAsync("w", Definition("w", "Seed"));
        await host.PutAsync("w", Definition("w", "Own"), tenant: "acme");

        Assert.Equal(Definition("w", "Seed"), (await host.GetAsync("w", version: 1, tenant: "acme", owner: "*")).Json.ToStringUtf8());
        Assert.Equal(Definition("w", "Own"), (await host.GetAsync("w", version: 1, tenant: "acme", owner: "acme")).Json.ToStringUtf8());
    }

    [Fact]
    public async Task The_same_request_id_of_two_tenants_is_two_requests()
    {
        await using var host = await StartAsync();
        await host.PutAsync("w", Definition("w", "Acme"), requestId: "r", tenant: "acme");
        await host.PutAsync("w", Definition("w", "Umbrella"), requestId: "r", tenant: "umbrella");

        Assert.Equal(Definition("w", "Umbrella"), (await host.GetAsync("w", tenant: "umbrella")).Json.ToStringUtf8());
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_in_the_order_of_ids()
    {
        await using var host = await StartAsync();
        foreach (var id in (string[])["a", "c", "e", "g"])
        {
            await host.SeedAsync(id, Definition(id, "Seed"));
        }

        foreach (var id in (string[])["b", "c", "f"])
        {
            await host.PutAsync(id, Definition(id, "Own"), tenant: "acme");
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
            await host.PutAsync(id, Definition(id, padding: 2 << 20), tenant: "acme");
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

    private static async Task<StatusCode> StatusOfAsync<T>(Func<AsyncUnaryCall<T>> call) => (await Assert.ThrowsAsync<RpcException>(async () => await call())).StatusCode;

    private static async Task<ListDefinitionsReply> ListAsync(WorkflowsHost host, string tenant, string after = "", int limit = 0) =>
        await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = tenant, After = after, Limit = limit });

    private static async Task<(long Version, string Owner)> VersionAndOwnerAsync(WorkflowsHost host, string tenant)
    {
        var definition = await host.GetAsync("w", tenant: tenant);
        return (definition.Version, definition.Owner);
    }
}
