using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Whether two events say the same: their payloads without what is new in every run, which are identities, times and durations
/// (spec/runs-streams-replay.md 8.4).
/// </summary>
internal static class ReplayComparison
{
    private static readonly HashSet<string> NewInEveryRun = ["interruptId", "durationMs", "decidedAt", "writtenAt", "childRunId", "conversationId"];

    /// <param name="recorded">Of the same type as <paramref name="repeated"/>.</param>
    public static bool AreEqual(RunEventBody recorded, RunEventBody repeated)
    {
        // A request in the older form is not folded and so not read back: the event that it accompanies has been compared.
        if (recorded is UnknownEvent)
            return true;

        return JsonElement.DeepEquals(Normalize(recorded), Normalize(repeated));
    }

    private static JsonElement Normalize(RunEventBody body)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            EventPayloads.Write(writer, WithoutClock(body));
            writer.WriteEndObject();
        }

        var payload = JsonElement.Parse(buffer.WrittenSpan, JsonValues.ReadOptions);
        return payload.EnumerateObject().Any(member => NewInEveryRun.Contains(member.Name))
            ? WithoutIdentity(payload)
            : payload;
    }

    /// <summary>Entries that expire are wrapped with the time of their write; a conversation is named after its run.</summary>
    private static RunEventBody WithoutClock(RunEventBody body) => body switch
    {
        ChannelWritten { TtlMs: not null } written => written with { Value = ChannelReducers.Unwrap(written.Value, wrapped: true) },
        InterruptRequested { Interrupt: { Kind: InterruptKinds.ConversationExchange } interrupt } requested =>
            requested with { Interrupt = interrupt with { Data = WithoutIdentity(interrupt.Data) } },
        _ => body,
    };

    /// <summary>An object without the members that are new in every run.</summary>
    public static JsonElement WithoutIdentity(JsonElement value) => JsonValues.Object(writer =>
    {
        foreach (var member in value.EnumerateObject().Where(member => !NewInEveryRun.Contains(member.Name)))
            member.WriteTo(writer);
    });
}
