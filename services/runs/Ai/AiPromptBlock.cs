using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary><c>ai_prompt</c>: as <c>core.ai.callPrompt</c>, or, with a schema of the answer, as <c>core.ai.structuredOutput</c>.</summary>
internal sealed class AiPromptBlock(ModelSelection selection, ModelCalls calls, Mcp.McpTools tools) : INodeHandler
{
    private readonly CallPromptNode _prompt = new(selection, calls, tools);
    private readonly StructuredOutputNode _structured = new(selection, calls);

    public string TypeId => "ai_prompt";

    public bool IsPure => false;

    public bool WaitsForOthers => true;

    public INodeHandler For(WorkflowNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Config.Member("outputSchema") is { ValueKind: not JsonValueKind.Null } ? _structured : _prompt;
    }

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) => For(context.Node).ExecuteAsync(context, cancellationToken);
}
