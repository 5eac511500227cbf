using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>
/// A conversation of one node (spec/agents.md 9): opened with a prompt, then one exchange after the other, each an interrupt, then
/// closed. The handler is executed once per answer and says what that answer has led to; the node goes on when the conversation is
/// closed. Ids of messages hold neither run nor time, so that a replay folds the same messages.
/// </summary>
internal sealed class Conversation(NodeContext context)
{
    public const int MaxExchanges = 100;

    private const string InputReason = "conversation-input";

    /// <summary>What is asked first.</summary>
    public required string Prompt { get; init; }

    /// <summary>Exchanges until it is closed.</summary>
    public int Exchanges { get; init; } = 1;

    /// <summary>JSON Schema of each answer; null = anything.</summary>
    public JsonElement? AnswerSchema { get; init; }

    /// <summary>The channel that gets the turns; null = none.</summary>
    public string? Channel { get; init; }

    /// <summary>How long an answer may take, in milliseconds; null = forever.</summary>
    public long? TimeoutMs { get; init; }

    /// <summary>Unique in the tenant, because run ids are.</summary>
    private string Id => string.Create(CultureInfo.InvariantCulture, $"conv-{context.RunId}-{context.Node.Id}-{context.Iteration}");

    private string? AgentId => context.Node.Agent?.StringMember("agentId");

    /// <summary>Goes on from the answers so far; null once it is closed, with the last answer.</summary>
    public NodeOutcome? Step(out JsonElement outcome)
    {
        outcome = default;
        var answered = 0;
        while (answered < Exchanges && context.Resolved.TryGetValue(Key(answered + 1), out var answer))
        {
            outcome = answer;
            answered++;
        }

        if (answered == 0)
            Open();
        else
            Exchange(answered, outcome);

        if (answered < Exchanges)
            return Ask(answered + 1);

        Close(answered, outcome);
        return null;
    }

    /// <summary>Plays all exchanges at once with answers made up.</summary>
    /// <param name="answer">The answer of an exchange, counted from 1.</param>
    public JsonElement Play(Func<int, JsonElement> answer)
    {
        Open();
        JsonElement last = default;
        for (var index = 1; index <= Exchanges; index++)
        {
            last = answer(index);
            Exchange(index, last);
        }

        Close(Exchanges, last);
        return last;
    }

    private string Key(int exchange) => context.InterruptKey(exchange);

    private NodeOutcome.Suspended Ask(int exchange) => new(new Interrupt(
        InterruptKinds.ConversationExchange,
        Key(exchange),
        NodeJson.Object(writer =>
        {
            writer.WriteString("conversationId", Id);
            writer.WriteString("prompt", Prompt);
            writer.WriteNumber("turnIndex", exchange);
            if (AnswerSchema is { } schema)
            {
                writer.WritePropertyName("outcomeSchema");
                schema.WriteTo(writer);
            }
        }),
        AnswerSchema,
        TimeoutMs)
    {
        Reason = InputReason,
    });

    private void Open()
    {
        var turn = Turn(0, AgentId is null ? "system" : "agent", JsonSerializer.SerializeToElement(Prompt));
        Write(turn);

        // While it waits, the opening comes from the suspension.
        context.Emit(new NodeEvent(EventTypes.ConversationOpened, NodeJson.Object(writer =>
        {
            writer.WriteString("conversationId", Id);
            if (AgentId is { } agentId)
                writer.WriteString("agentId", agentId);

            writer.WritePropertyName("initialTurn");
            turn.WriteTo(writer);
        }))
        {
            FollowsSuspension = true,
        });
    }

    private void Exchange(int index, JsonElement answer)
    {
        var turn = Turn(index, "user", answer);
        Write(turn);
        context.Emit(new NodeEvent(EventTypes.ConversationExchanged, NodeJson.Object(writer =>
        {
            writer.WriteString("conversationId", Id);
            writer.WriteNumber("turnIndex", index);
            writer.WritePropertyName("turn");
            turn.WriteTo(writer);
        })));
    }

    private void Close(int index, JsonElement outcome) => context.Emit(new NodeEvent(EventTypes.ConversationClosed, NodeJson.Object(writer =>
    {
        writer.WriteString("conversationId", Id);
        writer.WriteNumber("turnIndex", index);
        writer.WritePropertyName("finalTurn");
        Turn(index, "user", outcome).WriteTo(writer);
        writer.WritePropertyName("outcome");
        outcome.WriteTo(writer);
    })));

    private void Write(JsonElement turn)
    {
        if (Channel is { } channel)
            context.WriteChannel(new ChannelWrite(channel, turn) { Reducer = ChannelReducers.Message });
    }

    private JsonElement Turn(int index, string role, JsonElement content) => NodeJson.Object(writer =>
    {
        writer.WriteString("messageId", string.Create(CultureInfo.InvariantCulture, $"{context.Node.Id}:{context.Iteration}:{index}:{role}"));
        writer.WriteString("from", role == "agent" ? AgentId : role);
        writer.WritePropertyName("content");
        content.WriteTo(writer);

        // The place in the conversation, not a clock: a replay must come to the same turns.
        writer.WriteNumber("ts", index);
        writer.WriteString("role", role);
        writer.WriteNumber("turnIndex", index);
        if (role == "agent")
            writer.WriteString("speakerId", AgentId);
    });
}
