using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>An answer as the activity ledger keeps it: the whole, not the stream.</summary>
/// <param name="Attempt">The attempt of the node that has paid for it, and reports it.</param>
internal sealed record AnswerRecord(ModelAnswer Answer, int Attempt)
{
    public JsonElement ToJson() => NodeJson.Object(writer =>
    {
        writer.WriteString("content", Answer.Content);
        writer.WriteString("finishReason", Answer.FinishReason);
        writer.WriteString("model", Answer.Model);
        if (Answer.StopReason is { } stopReason)
            writer.WriteString("stopReason", stopReason);
        writer.WriteNumber("inputTokens", Answer.Usage.InputTokens);
        writer.WriteNumber("outputTokens", Answer.Usage.OutputTokens);
        if (Answer.Usage.CacheReadTokens is { } read)
            writer.WriteNumber("cacheReadTokens", read);
        if (Answer.Usage.CacheWriteTokens is { } written)
            writer.WriteNumber("cacheWriteTokens", written);
        if (Answer.ToolCalls is { } calls)
        {
            writer.WritePropertyName("toolCalls");
            calls.WriteTo(writer);
        }

        writer.WriteNumber("attempt", Attempt);
    });

    public static AnswerRecord Read(JsonElement json) => new(
        new ModelAnswer(
            json.StringMember("content") ?? "",
            json.StringMember("finishReason") ?? "stop",
            new ModelUsage(json.IntegerMember("inputTokens") ?? 0, json.IntegerMember("outputTokens") ?? 0)
            {
                CacheReadTokens = json.IntegerMember("cacheReadTokens"),
                CacheWriteTokens = json.IntegerMember("cacheWriteTokens"),
            },
            json.StringMember("model") ?? "")
        {
            StopReason = json.StringMember("stopReason"),
            ToolCalls = json.Member("toolCalls"),
        },
        (int)(json.IntegerMember("attempt") ?? 0));
}
