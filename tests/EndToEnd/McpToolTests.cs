using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>Workflows as tools, seen by a client of the protocol's own library.</summary>
public sealed class McpToolTests : IAsyncLifetime
{
    private Installation _installation = null!;
    private Client _client = null!;

    public async Task InitializeAsync()
    {
        _installation = await Installation.StartAsync(Form.Embedded, ("OPENWOP_MCP_CALL_TIMEOUT_SECONDS", "2"));
        _client = new Client(_installation.BaseUrl, Installation.Key);
        await _client.StoreAsync("greets", $"[{Client.Node("a", "core.transform", """{"expression":"{'said': 'hello'}"}""")}]");
        await _client.StoreAsync("fails", $"[{Client.Node("a", "core.fail", """{"code":"no_luck"}""")}]");
        await _client.StoreAsync("asks", $"[{Client.Node("a", "core.approvalGate", "{}")}]");
        await _client.StoreAsync("sleeps", $"[{Client.Node("a", "core.delay", """{"ms":60000}""")}]");
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _installation.DisposeAsync();
    }

    [Fact]
    public async Task A_tool_is_a_run_and_what_it_comes_to()
    {
        await using var client = await ConnectAsync(Installation.Key);
        var tools = (await client.ListToolsAsync()).Select(tool => tool.Name).ToList();
        Assert.Superset(new HashSet<string> { "greets", "fails", "asks", "sleeps" }, tools.ToHashSet());

        var greets = await client.CallToolAsync("greets");
        Assert.NotEqual(true, greets.IsError);
        Assert.Equal("completed", greets.StructuredContent!.Value.GetProperty("status").GetString());
        Assert.Contains("hello", Assert.IsType<TextContentBlock>(greets.Content.Single()).Text, StringComparison.Ordinal);
        var run = await _client.GetAsync("/v1/runs/" + greets.StructuredContent!.Value.GetProperty("runId").GetString());
        Assert.Equal("completed", run.GetProperty("status").GetString());
        var events = await _client.GetAsync($"/v1/runs/{run.GetProperty("runId").GetString()}/events/poll");
        Assert.Equal("mcp", events.GetProperty("events")[0].GetProperty("payload").GetProperty("transport").GetString());
    }

    [Fact]
    public async Task Calls_are_in_the_audit_log_whatever_came_of_them()
    {
        await using var client = await ConnectAsync(Installation.Key);
        await client.CallToolAsync("greets");
        await client.CallToolAsync("is-not-there");
        await Eventually.TrueAsync(async () =>
        {
            var calls = (await _client.GetAsync("/api/audit")).GetProperty("data").EnumerateArray()
                .Where(entry => entry.GetProperty("action").GetString() == "POST /v1/mcp tools/call")
                .Select(entry => entry.GetRawText()).ToList();
            return calls.Exists(call => call.Contains("greets", StringComparison.Ordinal) && call.Contains("201", StringComparison.Ordinal))
                && calls.Exists(call => call.Contains("is-not-there", StringComparison.Ordinal) && call.Contains("400", StringComparison.Ordinal));
        }, "entries of both calls");
    }

    [Theory]
    [InlineData("fails", "no_luck")]
    [InlineData("asks", "waiting-approval")]
    [InlineData("sleeps", "running")]
    [InlineData("is-not-there", "validation_error")]
    public async Task What_comes_to_nothing_is_an_error_that_says_why(string tool, string says)
    {
        await using var client = await ConnectAsync(Installation.Key);
        var result = await client.CallToolAsync(tool);
        Assert.True(result.IsError);
        Assert.Contains(says, Assert.IsType<TextContentBlock>(result.Content.Single()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_and_scopes_hold_here_as_well()
    {
        using var nobody = new Client(_installation.BaseUrl, "");
        await (await nobody.SendAsync("POST", "/v1/mcp", """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""")).IsErrorAsync(401, "unauthenticated");
        await using var reader = await ConnectAsync(Installation.ReaderKey);
        await Assert.ThrowsAsync<ModelContextProtocol.McpProtocolException>(async () => await reader.CallToolAsync("greets"));
        await using var stranger = await ConnectAsync(Installation.OtherTenantKey);
        Assert.DoesNotContain(await stranger.ListToolsAsync(), tool => tool.Name == "greets");
    }

    private Task<McpClient> ConnectAsync(string key) => McpClient.CreateAsync(new HttpClientTransport(new HttpClientTransportOptions
    {
        Endpoint = new Uri(_installation.BaseUrl, "/v1/mcp"),
        TransportMode = HttpTransportMode.StreamableHttp,
        AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
    }));
}
