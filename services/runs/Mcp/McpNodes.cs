using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mcp;

/// <summary><c>core.mcp.toolCall</c>: calls a tool of a configured server: <c>server</c>, <c>tool</c>, <c>arguments</c>, <c>timeoutMs</c>.</summary>
internal sealed class McpToolCallNode(McpTools tools) : INodeHandler
{
    public const string Type = "core.mcp.toolCall";

    public string TypeId => Type;

    public bool IsPure => false;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var call = McpCall.Read(parameters);
        return parameters.HasFailed(out var invalid) ? ValueTask.FromResult(invalid) : tools.CallAsync(context, call!, cancellationToken);
    }
}

/// <summary><c>core.ai.callPrompt</c> as far as it calls a tool: with the config member <c>mcp</c>.</summary>
internal sealed class McpPromptNode(McpTools tools) : INodeHandler
{
    public string TypeId => "core.ai.callPrompt";

    public bool IsPure => false;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var call = McpCall.ReadMember(parameters);
        if (call is null)
            parameters.Reject("mcp", "must say which tool to call: this server has no AI provider");

        return parameters.HasFailed(out var invalid) ? ValueTask.FromResult(invalid) : tools.CallAsync(context, call!, cancellationToken);
    }
}
