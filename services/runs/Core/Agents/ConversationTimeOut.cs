using System.Globalization;
using OpenWop.Micro.Protocol.Events;

namespace OpenWop.Micro.Runs.Core;

/// <summary>A conversation that nobody goes on with is closed without an outcome, by a turn of the system (spec/agents.md 9).</summary>
internal static class ConversationTimeOut
{
    public static NodeEmitted Closed(string nodeId, int iteration, Interrupt exchange)
    {
        var index = exchange.Data.IntegerMember("turnIndex") ?? 0;
        return new NodeEmitted(nodeId, EventTypes.ConversationClosed, JsonValues.Object(writer =>
        {
            writer.WriteString("conversationId", exchange.Data.StringMember("conversationId"));
            writer.WriteNumber("turnIndex", index);
            writer.WriteStartObject("finalTurn");
            writer.WriteString("messageId", string.Create(CultureInfo.InvariantCulture, $"{nodeId}:{iteration}:{index}:system"));
            writer.WriteString("from", "system");
            writer.WriteString("content", "The conversation timed out.");
            writer.WriteNumber("ts", index);
            writer.WriteString("role", "system");
            writer.WriteNumber("turnIndex", index);
            writer.WriteEndObject();
            writer.WriteNull("outcome");
        }));
    }
}
