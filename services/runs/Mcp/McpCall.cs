using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary>A call of a tool as a node's parameters describe it, checked.</summary>
/// <param name="Server">Name of the server; null = the first one.</param>
/// <param name="Arguments">An object.</param>
internal sealed record McpCall(string? Server, string Tool, JsonElement Arguments, int TimeoutMs)
{
    public const int DefaultTimeoutMs = 30_000;
    public const int MaxTimeoutMs = 120_000;

    /// <summary>Largest arguments in bytes of JSON.</summary>
    public const int MaxArgumentBytes = 1024 * 1024;

    /// <summary>The call in the parameters of the node itself.</summary>
    public static McpCall? Read(NodeParameters parameters)
    {
        var tool = parameters.RequiredString("tool");
        var server = parameters.String("server");
        var arguments = parameters.Object("arguments") ?? NodeJson.EmptyObject;
        if (JsonMarshal.GetRawUtf8Value(arguments).Length > MaxArgumentBytes)
            parameters.Reject("arguments", $"must have at most {MaxArgumentBytes} bytes");

        var timeout = parameters.Integer("timeoutMs", 1, MaxTimeoutMs, DefaultTimeoutMs);
        return parameters.Error is null ? new McpCall(server, tool, arguments, (int)timeout) : null;
    }

    /// <summary>The call in the config member <c>mcp</c> of a node that can do other things as well; null when it has none.</summary>
    public static McpCall? ReadMember(NodeParameters parameters)
    {
        if (parameters.FindConfig("mcp") is not { } mcp)
            return null;

        if (mcp.StringMember("tool") is not { Length: > 0 } tool
            || mcp.Member("arguments") is { ValueKind: not JsonValueKind.Object }
            || mcp.Member("server") is { ValueKind: not JsonValueKind.String })
        {
            parameters.Reject("mcp", "must have a 'tool', and 'arguments' that are an object");
            return null;
        }

        var timeout = parameters.Integer("timeoutMs", 1, MaxTimeoutMs, DefaultTimeoutMs);
        return parameters.Error is null ? new McpCall(mcp.StringMember("server"), tool, mcp.Member("arguments") ?? NodeJson.EmptyObject, (int)timeout) : null;
    }
}
