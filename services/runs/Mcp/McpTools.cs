using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary>
/// Calls tools of configured servers for nodes (spec/agents.md 13). Once per execution, through the activity ledger; what a tool says is
/// wrapped and tagged as untrusted, and shows as <c>agent.toolCalled</c> and <c>agent.toolReturned</c>.
/// </summary>
internal sealed class McpTools(McpServers servers, McpConnections connections)
{
    /// <summary>Who calls when the node has no agent.</summary>
    private const string NoAgent = "core.system";

    /// <summary>Characters of a tool's complaint that an error repeats.</summary>
    private const int MaxComplaint = 1000;

    public async ValueTask<NodeOutcome> CallAsync(NodeContext context, McpCall call, CancellationToken cancellationToken)
    {
        if (servers.Find(call.Server) is not { } server)
            return Failed("mcp_server_not_found", call.Server is null ? "No MCP server is configured." : $"No MCP server '{call.Server}' is configured.");

        if (server.Tools?.Contains(call.Tool) == false)
            return Failed("mcp_tool_not_allowed", $"The tool '{call.Tool}' of '{server.Name}' may not be called.");

        var agentId = context.Node.Agent?.StringMember("agentId") is { Length: >= 3 } id ? id : NoAgent;
        var callId = string.Create(CultureInfo.InvariantCulture, $"mcp-{context.Node.Id}-{context.Iteration}-{context.Attempt}");
        var called = context.Emit(new NodeEvent(EventTypes.AgentToolCalled, Event(agentId, call.Tool, callId, writer =>
        {
            Write(writer, "inputs", call.Arguments);
            writer.WriteString("transport", "mcp");
        })));
        var result = await context.Activities!.RunOnceAsync(
            $"mcp:{server.Name}:{call.Tool}", (identity, cancelled) => connections.CallAsync(server, call, identity, cancelled), cancellationToken);
        var outputs = result.Error is null ? OutputsOf(server, call, result.Value) : default;
        context.Emit(new NodeEvent(EventTypes.AgentToolReturned, Event(agentId, call.Tool, callId, writer =>
        {
            writer.WriteString("status", result.Error is null ? "ok" : "error");
            if (result.Error is { } error)
                Log.EventPayloads.WriteError(writer, "error", error);
            else
                Write(writer, "outcome", outputs);
        }))
        {
            CausedBy = called,
        });
        return result.Error is { } failure ? new NodeOutcome.Failed(failure) : new NodeOutcome.Completed(outputs);
    }

    /// <summary>The error of a tool that says itself that it has failed.</summary>
    public static NodeError ToolFailed(McpCall call, string text) => new(
        "mcp_tool_failed",
        $"The tool '{call.Tool}' failed.",
        Retryable: false,
        NodeJson.Object(writer => writer.WriteString("text", Untrusted.Wrap("tool", call.Tool, text.Length > MaxComplaint ? text[..MaxComplaint] : text))));

    private static JsonElement OutputsOf(McpServer server, McpCall call, JsonElement result) => NodeJson.Object(writer =>
    {
        writer.WriteString("tool", call.Tool);
        writer.WriteString("server", server.Name);
        writer.WriteString("trust", "untrusted");
        writer.WriteString("text", Untrusted.Wrap("tool", call.Tool, McpConnections.TextOf(result)));
        Write(writer, "content", result.Member("content") ?? NodeJson.Null);
        if (result.Member("structuredContent") is { } structured)
            Write(writer, "structuredContent", structured);
    });

    private static JsonElement Event(string agentId, string tool, string callId, Action<Utf8JsonWriter> write) => NodeJson.Object(writer =>
    {
        writer.WriteString("agentId", agentId);
        writer.WriteString("toolName", tool);
        writer.WriteString("callId", callId);
        write(writer);
    });

    private static void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        value.WriteTo(writer);
    }

    private static NodeOutcome.Failed Failed(string code, string message) => new(new NodeError(code, message));
}

/// <summary>Marks what strangers say, so that nobody takes it for instructions (spec/agents.md 13).</summary>
internal static class Untrusted
{
    /// <param name="kind"><c>tool</c> or <c>agent</c>.</param>
    /// <param name="name">Who says it.</param>
    public static string Wrap(string kind, string name, string text) =>
        $"<UNTRUSTED {kind}=\"{name.Replace("\"", "&quot;", StringComparison.Ordinal)}\">{text.Replace("</UNTRUSTED", "&lt;/UNTRUSTED", StringComparison.OrdinalIgnoreCase)}</UNTRUSTED>";
}
