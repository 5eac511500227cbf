using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Workflows.V1;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class DiscoveryTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _gateway = await GatewayHost.StartAsync();
        Seed("executable", "core.noop");
        Seed("not-executable", "core.noop", "core.unknown");
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task The_document_has_what_every_client_needs_and_only_executable_fixtures()
    {
        var response = await _gateway.SendAsync("GET", "/.well-known/openwop", key: "");
        var json = await response.JsonAsync();
        Assert.Equal("1.1", json.GetProperty("protocolVersion").GetString());
        Assert.Equal(["executable"], json.GetProperty("fixtures").EnumerateArray().Select(id => id.GetString()!));
        Assert.Equal(1000, json.GetProperty("limits").GetProperty("maxNodeExecutions").GetInt32());
        Assert.False(json.GetProperty("limits").TryGetProperty("maxRunDurationMs", out _));
        Assert.False(json.TryGetProperty("extensions", out _));
        Assert.Equal("openwop.v1.Engine", json.GetProperty("grpc").GetProperty("service").GetString());
        Assert.False(json.TryGetProperty("observability", out _));
    }

    [Fact]
    public async Task What_is_advertised_about_interrupts_follows_from_the_node_types()
    {
        _gateway.Services.NodeTypes.AddRange(["core.approvalGate", "core.clarificationGate"]);
        var json = await (await _gateway.SendAsync("GET", "/.well-known/openwop", key: "")).JsonAsync();
        Assert.Equal(["clarification.request"], json.GetProperty("supportedEnvelopes").EnumerateArray().Select(type => type.GetString()!));
        var interrupts = json.GetProperty("extensions").GetProperty("interrupts");
        Assert.Equal(
            ["openwop-interrupt-quorum", "openwop-interrupt-auth-required"],
            interrupts.GetProperty("profiles").EnumerateArray().Select(profile => profile.GetString()!));
        Assert.True(interrupts.GetProperty("signedCallbackTokens").GetBoolean());
    }

    [Fact]
    public async Task What_is_advertised_about_agents_follows_from_the_node_types()
    {
        _gateway.Services.NodeTypes.AddRange(["core.orchestrator.supervisor", "core.dispatch", "core.subWorkflow", "core.conversationGate"]);
        Seed("with-mapping", """{"requiresCapability":"capabilities.agents.dispatchMapping"}""");
        Seed("with-model", """{"requiresCapability":"capabilities.multiAgent.executionModel.supported"}""");
        Seed("with-pack", """{"requiresInstalledPack":"core.agents"}""");
        var json = await (await _gateway.SendAsync("GET", "/.well-known/openwop", key: "")).JsonAsync();
        Assert.True(json.GetProperty("agents").GetProperty("orchestrator").GetBoolean());
        Assert.True(json.GetProperty("agents").GetProperty("dispatchMapping").GetBoolean());
        Assert.True(json.GetProperty("subWorkflow").GetProperty("inputMapping").GetBoolean());
        Assert.True(json.GetProperty("conversationPrimitive").GetBoolean());
        Assert.False(json.TryGetProperty("conformance", out _));
        Assert.Equal(["executable", "with-mapping"], json.GetProperty("fixtures").EnumerateArray().Select(id => id.GetString()!));

        void Seed(string id, string metadata) => _gateway.Services.Seeded.Add(new Definition
        {
            WorkflowId = id,
            Owner = "*",
            Json = ByteString.CopyFromUtf8($$"""{"id":"{{id}}","nodes":[{"typeId":"core.noop"}],"metadata":{{metadata}} }"""),
            Etag = "e-" + id,
        });
    }

    [Fact]
    public async Task The_document_can_be_cached_and_is_not_sent_twice()
    {
        var first = await _gateway.SendAsync("GET", "/.well-known/openwop", key: "");
        Assert.Equal("public, max-age=300", first.Headers.CacheControl!.ToString());
        Assert.NotEmpty(first.Header("Capabilities-Etag")!);
        var second = await _gateway.SendAsync("GET", "/.well-known/openwop", key: "", headers: ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(304, (int)second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        Assert.Equal(first.Header("Capabilities-Etag"), second.Header("Capabilities-Etag"));
    }

    private void Seed(string id, params string[] typeIds) => _gateway.Services.Seeded.Add(new Definition
    {
        WorkflowId = id,
        Owner = "*",
        Json = ByteString.CopyFromUtf8(JsonSerializer.Serialize(new { id, nodes = typeIds.Select(typeId => new { typeId }) })),
        Etag = "e-" + id,
    });
}
