using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes.Conformance;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>
/// <c>core.conversationGate</c>: talks with somebody for <c>turnCount</c> exchanges and completes with the last answer
/// (docs/nodes.md).
/// </summary>
internal sealed class ConversationGateNode : INodeHandler
{
    private static readonly string[] UsualChannels = ["conversation", "messages"];

    public string TypeId => "core.conversationGate";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) => ValueTask.FromResult(Talk(context));

    private static NodeOutcome Talk(NodeContext context)
    {
        var parameters = new NodeParameters(context);
        var exchanges = parameters.Integer("turnCount", 1, Conversation.MaxExchanges, 1);
        var timeout = parameters.Integer("timeoutMs", 0, long.MaxValue, 0);
        var conversation = new Conversation(context)
        {
            Prompt = parameters.String("prompt", "initialPrompt") ?? context.Node.Name,
            Exchanges = (int)exchanges,
            AnswerSchema = parameters.FindConfig("outcomeSchema"),
            Channel = ChannelOf(context, parameters),
            TimeoutMs = timeout > 0 ? timeout : null,
        };
        if (parameters.HasFailed(out var invalid))
            return invalid;

        if (parameters.ConfigBoolean("mockAutoResume", fallback: false) && TestWorkflows.Includes(context.WorkflowId))
            return Completed(conversation.Play(index => JsonSerializer.SerializeToElement(string.Create(CultureInfo.InvariantCulture, $"Answer {index}."))));

        return conversation.Step(out var outcome) ?? Completed(outcome);
    }

    private static NodeOutcome.Completed Completed(JsonElement outcome) => new(NodeJson.Object(writer =>
    {
        writer.WritePropertyName("outcome");
        outcome.WriteTo(writer);
    }));

    /// <summary>The one in the config, else a declared channel for messages of a usual name; workflows without declared channels need none.</summary>
    private static string? ChannelOf(NodeContext context, NodeParameters parameters) => parameters.ConfigString("channel")
        ?? UsualChannels.FirstOrDefault(name => context.ChannelDeclarations?.GetValueOrDefault(name)?.Reducer == ChannelReducers.Message);
}
