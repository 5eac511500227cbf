using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.StandIns;

/// <summary>Everybody whom workflows talk to, at one address of this machine.</summary>
public sealed class StandInServer : IAsyncDisposable
{
    /// <summary>The key that the operator has for the provider <c>openai</c>; a canary.</summary>
    public const string OperatorKey = "sk-OPERATOR-openwop-never-shown-0001";

    private readonly WebApplication _app;

    private StandInServer(WebApplication app, ToolServer tools) => (_app, Tools) = (app, tools);

    public ModelServer Models { get; } = new();

    /// <summary>At <c>/mcp</c>.</summary>
    public ToolServer Tools { get; }

    public AgentPeer Agent { get; } = new();

    /// <summary>Without a trailing slash.</summary>
    public string Url => _app.Urls.Single().TrimEnd('/');

    /// <summary>What a server has to be started with to talk to them. Of the tools it may call all but <c>hidden</c>.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings =>
    [
        ("OPENWOP_AI_PROVIDERS", JsonSerializer.Serialize(new object[]
        {
            new { id = "openai", url = Url + "/v1", key = OperatorKey, prices = new Dictionary<string, object> { ["priced*"] = new { input = 2.0, output = 10.0 } } },
            new { id = "anthropic", url = Url, policy = "required" },
            new { id = "local", kind = "openai", url = Url + "/v1", keyless = true },
            new { id = "off", kind = "openai", url = Url + "/v1", policy = "disabled" },
            new { id = "picky", kind = "openai", url = Url + "/v1", key = OperatorKey, policy = "restricted", allowedModels = new[] { "good-*" } },
        })),
        ("OPENWOP_MCP_SERVERS", JsonSerializer.Serialize(new object[] { new { name = "tools", url = Url + "/mcp", tools = new[] { "echo", "fail", "flood", "none" } } })),
        ("OPENWOP_A2A_PEER", Url),
        ("OPENWOP_EGRESS_ALLOW_PRIVATE", "true"),
    ];

    /// <param name="port">0 = any that is free.</param>
    public static async Task<StandInServer> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var tools = new ToolServer();
        tools.AddTo(builder.Services);
        var server = new StandInServer(builder.Build(), tools);
        server.Models.Map(server._app);
        server.Agent.Map(server._app);
        server._app.MapMcp("/mcp");
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
