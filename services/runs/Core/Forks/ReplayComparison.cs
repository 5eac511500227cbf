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
    private static readonly HashSet<string> NewInEveryRun = ["interruptId", "durationMs", "decidedAt", "writtenAt", "childRunId"];

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
            ? JsonValues.Object(writer =>
            {
                foreach (var member in payload.EnumerateObject().Where(member => !NewInEveryRun.Contains(member.Name)))
                    member.WriteTo(writer);
            })
            : payload;
    }

    /// <summary>Entries that expire are wrapped with the time of their write.</summary>
    private static RunEventBody WithoutClock(RunEventBody body) =>
        body is ChannelWritten { TtlMs: not null } written ? written with { Value = ChannelReducers.Unwrap(written.Value, wrapped: true) } : body;
}
