using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;

namespace OpenWop.Micro.StandIns;

/// <summary>A call that a tool got.</summary>
public sealed record ToolCall(string Tool, IReadOnlyDictionary<string, JsonElement> Arguments);

/// <summary>
/// An MCP server. <c>echo</c> gives its argument <c>text</c> back, <c>fail</c> fails, <c>flood</c> says too much, <c>hidden</c> should not be called.
/// </summary>
public sealed class ToolServer
{
    private const int FloodSize = 600 * 1024;

    private readonly ConcurrentQueue<ToolCall> _calls = new();

    public IReadOnlyCollection<ToolCall> Calls => _calls;

    /// <summary>How often <c>echo</c> was given a text.</summary>
    public int EchoesOf(string text) => _calls.Count(call => call.Tool == "echo" && call.Arguments["text"].ValueEquals(text));

    internal void AddTo(IServiceCollection services) => services.AddMcpServer()
        .WithHttpTransport(transport => transport.Stateless = true)
        .WithListToolsHandler((_, _) => ValueTask.FromResult(new ListToolsResult
        {
            Tools = [.. new[] { "echo", "fail", "flood", "hidden" }.Select(name => new Tool { Name = name })],
        }))
        .WithCallToolHandler((request, _) => ValueTask.FromResult(Answer(new ToolCall(
            request.Params!.Name, request.Params.Arguments?.ToDictionary(StringComparer.Ordinal) ?? []))));

    private CallToolResult Answer(ToolCall call)
    {
        _calls.Enqueue(call);
        return call.Tool switch
        {
            "echo" => Text(call.Arguments["text"].GetString()!),
            "flood" => Text(new string('x', FloodSize)),
            _ => new CallToolResult { IsError = true, Content = [new TextContentBlock { Text = "out of paper" }] },
        };
    }

    private static CallToolResult Text(string text) => new() { Content = [new TextContentBlock { Text = text }] };
}
