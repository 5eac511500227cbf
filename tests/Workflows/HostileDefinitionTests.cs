using Google.Protobuf;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

public sealed class HostileDefinitionTests
{
    [Fact]
    public async Task What_is_not_valid_is_refused_with_the_places_and_leaves_nothing_behind()
    {
        await using var host = await StartAsync();
        var error = await Refused.ByAsync(() => host.PutAsync("w", Definition("w").Replace("\"edges\":[]", "\"edges\":[{\"id\":\"e\",\"sourceNodeId\":\"a\",\"targetNodeId\":\"b\"}]", StringComparison.Ordinal)));

        Assert.Equal(ErrorCodes.ValidationError, error.Code);
        Assert.Equal(("/edges/0/targetNodeId", "unknown_node"), ((string?)error.Details!["errors"]![0]!["path"], (string?)error.Details["errors"]![0]!["code"]));
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w"))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"id\":\"w\",\"id\":\"w\"}")]
    [InlineData("{\"id\":\"\\ud800\"}")]
    public async Task Texts_that_are_no_definition_are_refused(string json)
    {
        await using var host = await StartAsync();

        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => host.PutAsync("w", json))).Code);
    }

    [Fact]
    public async Task Sizes_and_depths_are_limited()
    {
        await using var host = await StartAsync();

        Assert.Equal(ErrorCodes.PayloadTooLarge, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w", padding: 5 << 20)))).Code);
        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => host.PutAsync("w", new string('[', 100_000)))).Code);
        Assert.Equal(1, (await host.PutAsync("w", Definition("w", padding: 3 << 20))).Version);
    }

    [Fact]
    public async Task The_id_of_the_document_is_the_id_of_the_workflow()
    {
        await using var host = await StartAsync();

        Assert.Equal("id", (string?)(await Refused.ByAsync(() => host.PutAsync("other", Definition("w")))).Details!["field"]);
        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => host.PutAsync("", Definition("w")))).Code);
    }

    [Fact]
    public async Task Requests_that_contradict_themselves_are_refused()
    {
        await using var host = await StartAsync();

        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w"), ifMatch: "*", ifNoneMatch: true))).Code);
        Assert.Equal(ErrorCodes.ValidationError, (await Refused.ByAsync(() => host.PutAsync("w", Definition("w"), requestId: new string('r', 129)))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("'; DROP TABLE workflow_heads; --")]
    [InlineData("*")]
    [InlineData("w%")]
    public async Task Ids_are_never_more_than_ids(string id)
    {
        await using var host = await StartAsync();
        await host.PutAsync("w", Definition("w"));

        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync(id))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync(new string('w', 100_000)))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: -1))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Refused.ByAsync(() => host.GetAsync("w", version: long.MaxValue))).Code);
        Assert.Equal(1, (await host.GetAsync("w")).Version);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused()
    {
        await using var host = await StartAsync();
        var error = await Refused.ByAsync(async () => await host.Client.PutDefinitionAsync(
            new PutDefinitionRequest { WorkflowId = "w", Json = ByteString.CopyFrom(0xFF, 0xFE, 0x00) }, await host.UserAsync("acme")));

        Assert.Equal(ErrorCodes.ValidationError, error.Code);
    }
}
