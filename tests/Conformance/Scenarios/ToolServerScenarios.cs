using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>The other way round: a host that is an MCP server, whose tools are its workflows.</summary>
internal static class ToolServerScenarios
{
    private const string Section = "7.13 MCP server";

    private static readonly Gate Mounted = Gate.Family("mcp.serverMount.supported");

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "The server says who it is and that it has tools", Mounted, async suite =>
        {
            var result = await ResultAsync(suite.Host, "initialize", new { protocolVersion = "2025-06-18", capabilities = new { }, clientInfo = new { name = "conformance", version = "1" } });
            Expect.Equal(JsonValueKind.String, result.GetProperty("protocolVersion").ValueKind, "protocolVersion");
            Expect.Equal(JsonValueKind.Object, result.GetProperty("capabilities").GetProperty("tools").ValueKind, "capabilities.tools");
            Expect.That(result.GetProperty("serverInfo").GetProperty("name").GetString() is { Length: > 0 }, "serverInfo.name");
        }),
        new(Section, "Every advertised fixture is a tool with a schema", Mounted, async suite =>
        {
            var tools = await ToolsAsync(suite.Host);
            foreach (var id in suite.Advertised["fixtures"].EnumerateArray().Select(id => id.GetString()!))
                Expect.That(tools.TryGetValue(id, out var tool) && tool.GetProperty("inputSchema").GetProperty("type").ValueEquals("object"), $"{id} is no tool with a schema");
        }),
        new(Section, "A call is a run, and its result what the run comes to", Mounted.And(Gate.Fixtures("conformance-identity")), async suite =>
        {
            var result = await CallAsync(suite.Host, "conformance-identity", new { payload = new { deep = new[] { 1, 2 } } });
            Expect.That(!result.TryGetProperty("isError", out var isError) || isError.ValueKind == JsonValueKind.False, result.GetRawText());
            var snapshot = await suite.SnapshotAsync(result.GetProperty("structuredContent").GetProperty("runId").GetString()!);
            Expect.Equal("completed", Suite.StatusOf(snapshot), "status");
            Expect.Equal("""{"deep":[1,2]}""", snapshot.GetProperty("variables").GetProperty("payload").GetRawText(), "variables.payload");
            Expect.Equal("text", result.GetProperty("content")[0].GetProperty("type").GetString(), "type of the content");
        }),
        new(Section, "A run that fails is an error that says why", Mounted.And(Gate.Fixtures("conformance-failure")), async suite =>
        {
            var result = await CallAsync(suite.Host, "conformance-failure", new { });
            var error = (await suite.SnapshotAsync(result.GetProperty("structuredContent").GetProperty("runId").GetString()!)).GetProperty("error");
            ExpectError(result, error.GetProperty("code").GetString()!);
        }),
        new(Section, "A run that waits for somebody is an error that names it", Mounted.And(Gate.Fixtures("conformance-approval")), async suite =>
        {
            var result = await CallAsync(suite.Host, "conformance-approval", new { });
            ExpectError(result, "waiting-approval");
            await InterruptScenarios.CancelAsync(suite, result.GetProperty("structuredContent").GetProperty("runId").GetString()!);
        }),
        new(Section, "A tool that does not exist is an error", Mounted, async suite => ExpectError(await CallAsync(suite.Host, "is-not-there", new { }), "")),
        new(Section, "A method that does not exist is refused by its number", Mounted, async suite =>
            Expect.Equal(-32601, (await SendAsync(suite.Host, "no/such-method", new { })).GetProperty("error").GetProperty("code").GetInt32(), "error.code")),
        new(Section, "Nobody calls tools without a credential", Mounted, async suite =>
            (await PostAsync(suite.Anonymous, "tools/list", new { })).Expecting(401)),
        new(Section, "Calling a tool takes the scopes of a run", Mounted.And(Gate.LowScopeKey).And(Gate.Fixtures("conformance-noop")), async suite =>
        {
            var refusal = await SendAsync(suite.LowScope!, "tools/call", new { name = "conformance-noop", arguments = new { } });
            Expect.That(refusal.TryGetProperty("error", out _), refusal.GetRawText());
        }),
        new(Section, "Another tenant's workflows are no tools", Mounted.And(Gate.OtherTenantKey).And(Gate.StoresWorkflows), async suite =>
        {
            var id = await suite.StoreAsync("core.noop", new { });
            Expect.That((await ToolsAsync(suite.Host)).ContainsKey(id), "A workflow of the tenant is no tool.");
            Expect.That(!(await ToolsAsync(suite.OtherTenant!)).ContainsKey(id), "A workflow is a tool of another tenant.");
            ExpectError(await CallAsync(suite.OtherTenant!, id, new { }), "");
        }),
    ];

    private static Task<JsonElement> CallAsync(HostClient caller, string name, object arguments) => ResultAsync(caller, "tools/call", new { name, arguments });

    private static void ExpectError(JsonElement result, string says) => Expect.That(
        result.TryGetProperty("isError", out var isError) && isError.ValueKind == JsonValueKind.True && result.GetProperty("content").GetRawText().Contains(says, StringComparison.Ordinal),
        $"no error that says '{says}': {result.GetRawText()}");

    /// <summary>All tools, page by page.</summary>
    private static async Task<Dictionary<string, JsonElement>> ToolsAsync(HostClient caller)
    {
        var tools = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var page = await ResultAsync(caller, "tools/list", new { });
        while (true)
        {
            foreach (var tool in page.GetProperty("tools").EnumerateArray())
                tools.Add(tool.GetProperty("name").GetString()!, tool);
            if (!page.TryGetProperty("nextCursor", out var cursor))
                return tools;

            page = await ResultAsync(caller, "tools/list", new { cursor = cursor.GetString() });
        }
    }

    private static async Task<JsonElement> ResultAsync(HostClient caller, string method, object parameters)
    {
        var message = await SendAsync(caller, method, parameters);
        Expect.That(message.TryGetProperty("result", out var result), $"{method}: {message.GetRawText()}");
        return result;
    }

    /// <summary>The answer to a message, which comes as JSON or as the last event of a stream.</summary>
    private static async Task<JsonElement> SendAsync(HostClient caller, string method, object parameters)
    {
        var reply = (await PostAsync(caller, method, parameters)).Expecting(200);
        return reply.IsJson ? reply.Json : JsonElement.Parse(reply.Text.Split('\n').Last(static line => line.StartsWith("data:", StringComparison.Ordinal))["data:".Length..]);
    }

    private static Task<Reply> PostAsync(HostClient caller, string method, object parameters) => caller.PostAsync(
        "/v1/mcp",
        new { jsonrpc = "2.0", id = 1, method, @params = parameters },
        ("Accept", "application/json, text/event-stream"));
}
