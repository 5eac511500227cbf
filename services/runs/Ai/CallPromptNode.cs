using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Mcp;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// <c>core.ai.callPrompt</c>: asks a model and streams its answer. With the config member <c>mcp</c> it calls a tool instead.
/// </summary>
internal sealed class CallPromptNode(ModelSelection selection, ModelCalls calls, McpTools tools) : INodeHandler
{
    public string TypeId => "core.ai.callPrompt";

    public bool IsPure => false;

    public bool WaitsForOthers => true;

    public IReadOnlyList<SecretRequirement> SecretsOf(WorkflowNode node, JsonElement configurable) =>
        ModelSelection.CredentialRef(node, configurable) is { } id ? [new(id, IsOptional: true)] : [];

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var tool = McpCall.ReadMember(parameters);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        if (tool is not null)
            return await tools.CallAsync(context, tool, cancellationToken);

        var (chosen, error) = selection.Choose(context);
        if (chosen is null)
            return new NodeOutcome.Failed(error!);

        var request = PromptInput.Read(context, parameters, chosen);
        var streams = parameters.ConfigBoolean("expectsStreaming", fallback: true);
        var timeout = PromptInput.ReadTimeout(parameters);
        if (parameters.HasFailed(out invalid))
            return invalid;

        var (answer, failure) = await calls.CallAsync(context, chosen, request, streams, timeout, cancellationToken);
        return failure is not null ? new NodeOutcome.Failed(failure) : new NodeOutcome.Completed(Outputs(chosen, answer!));
    }

    internal static JsonElement Outputs(ChosenModel chosen, ModelAnswer answer, Action<Utf8JsonWriter>? more = null) => NodeJson.Object(writer =>
    {
        writer.WriteString("text", answer.Content);
        more?.Invoke(writer);
        writer.WriteString("provider", chosen.ProviderId);
        writer.WriteString("model", answer.Model);
        writer.WriteString("finishReason", answer.FinishReason);
        writer.WriteStartObject("usage");
        writer.WriteNumber("inputTokens", answer.Usage.InputTokens);
        writer.WriteNumber("outputTokens", answer.Usage.OutputTokens);
        writer.WriteNumber("totalTokens", answer.Usage.InputTokens + answer.Usage.OutputTokens);
        writer.WriteEndObject();
        if (answer.ToolCalls is { } toolCalls)
        {
            writer.WritePropertyName("toolCalls");
            toolCalls.WriteTo(writer);
        }
    });
}
