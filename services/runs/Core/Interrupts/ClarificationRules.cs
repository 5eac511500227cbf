using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Clarifications (spec/interrupts-state-storage.md 1.4): every question needs an answer that satisfies its schema. Answers come
/// as a map by question id, or as a list of <c>{id, answer}</c>; nodes always see the map.
/// </summary>
internal static class ClarificationRules
{
    public static ProtocolError? Resolve(Draft draft, string nodeId, OpenInterrupt open, Answer answer)
    {
        if (AnswersOf(answer.Value) is not { } answers)
            return ProtocolError.Validation("resumeValue.answers must be an object by question id, or a list of {id, answer}.", "resumeValue.answers");

        foreach (var question in open.Request.Data.GetProperty("questions").EnumerateArray())
        {
            var id = question.GetProperty("id").GetString()!;
            if (!answers.TryGetValue(id, out var given))
                return ProtocolError.Validation($"The question '{id}' has no answer.", $"resumeValue.answers.{id}");

            var holds = question.Member("schema") is { } schema ? JsonSchemaDocument.CompileCached(schema).IsValid(given) : given.ValueKind == JsonValueKind.String;
            if (!holds)
                return ProtocolError.Validation($"The answer to '{id}' is not valid.", $"resumeValue.answers.{id}");
        }

        var map = JsonValues.Object(writer =>
        {
            foreach (var (id, given) in answers)
            {
                writer.WritePropertyName(id);
                given.WriteTo(writer);
            }
        });
        draft.Add(new ClarificationResolved(nodeId, map, answer.Principal));
        var value = JsonValues.Object(writer =>
        {
            writer.WritePropertyName("answers");
            map.WriteTo(writer);
        });
        return InterruptDecisions.Settle(draft, nodeId, open, value, answer.Principal);
    }

    private static Dictionary<string, JsonElement>? AnswersOf(JsonElement value) => value.Member("answers") switch
    {
        { ValueKind: JsonValueKind.Object } map => map.EnumerateObject().ToDictionary(item => item.Name, item => item.Value, StringComparer.Ordinal),
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(item => item.StringMember("id") is not null && item.Member("answer") is not null) =>
            list.EnumerateArray().GroupBy(item => item.StringMember("id")!, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last().GetProperty("answer"), StringComparer.Ordinal),
        _ => null,
    };
}
