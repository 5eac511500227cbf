using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>
/// What differs between two runs (spec/runs-streams-replay.md 8.7): a pure function of their logs. Events are aligned by sequence and
/// compared as a replay compares them, without identities, times and durations, which are new in every run.
/// </summary>
internal static class RunDiff
{
    /// <summary>Bytes of events in one answer; beyond, it is cut and says so.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    private static readonly string[] ComparedMembers = ["status", "variables", "channels", "outputs", "error"];

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>One of the runs.</summary>
    /// <param name="Events">From the first one on; all of them, or as many as are looked at.</param>
    internal sealed record Side(string RunId, RunState State, IReadOnlyList<EncodedEvent> Events)
    {
        public bool IsWhole => State.IsTerminal && Events.Count == State.LastSequence + 1;
    }

    public static ReadOnlyMemory<byte> Write(Side a, Side b)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("a", a.RunId);
        writer.WriteString("b", b.RunId);
        writer.WriteStartArray("eventDiffs");
        var (first, isCut) = WriteEvents(writer, a.Events, b.Events);
        writer.WriteEndArray();
        if (first is { } sequence)
            writer.WriteNumber("divergedAtSeq", sequence);
        else
            writer.WriteNull("divergedAtSeq");

        WriteStates(writer, a, b);
        if (isCut || !a.IsWhole || !b.IsWhole)
            writer.WriteBoolean("truncated", true);

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static (int? First, bool IsCut) WriteEvents(Utf8JsonWriter writer, IReadOnlyList<EncodedEvent> a, IReadOnlyList<EncodedEvent> b)
    {
        int? first = null;
        for (var sequence = 0; sequence < Math.Max(a.Count, b.Count); sequence++)
        {
            var (left, right) = (a.ElementAtOrDefault(sequence), b.ElementAtOrDefault(sequence));
            if (left is not null && right is not null && AreEqual(left, right))
                continue;

            if (writer.BytesCommitted + writer.BytesPending > MaxBytes)
                return (first, IsCut: true);

            first ??= sequence;
            writer.WriteStartObject();
            writer.WriteNumber("seq", sequence);
            writer.WriteString("op", left is null ? "added" : right is null ? "removed" : "changed");
            WriteEvent(writer, "aEvent", left);
            WriteEvent(writer, "bEvent", right);
            writer.WriteEndObject();
        }

        return (first, IsCut: false);
    }

    private static bool AreEqual(EncodedEvent a, EncodedEvent b)
    {
        if (a.Type != b.Type)
            return false;

        var (left, right) = (EventCodec.Decode(a).Body, EventCodec.Decode(b).Body);
        return left.NodeId == right.NodeId && (left, right) switch
        {
            // Not folded, so there is nothing to compare but what it says.
            (UnknownEvent, _) or (_, UnknownEvent) => JsonElement.DeepEquals(ReplayComparison.WithoutIdentity(PayloadOf(a)), ReplayComparison.WithoutIdentity(PayloadOf(b))),
            _ => left.GetType() == right.GetType() && ReplayComparison.AreEqual(left, right),
        };
    }

    private static JsonElement PayloadOf(EncodedEvent @event) => JsonElement.Parse(@event.Document.Span, JsonValues.ReadOptions).GetProperty("payload");

    private static void WriteEvent(Utf8JsonWriter writer, string name, EncodedEvent? @event)
    {
        if (@event is null)
            return;

        writer.WritePropertyName(name);
        writer.WriteRawValue(@event.Document.Span, skipInputValidation: true);
    }

    /// <summary>What the snapshots show differently, sensitive values masked in both.</summary>
    private static void WriteStates(Utf8JsonWriter writer, Side a, Side b)
    {
        var left = JsonElement.Parse(RunSnapshot.Write(a.RunId, a.State).Span, JsonValues.ReadOptions);
        var right = JsonElement.Parse(RunSnapshot.Write(b.RunId, b.State).Span, JsonValues.ReadOptions);
        writer.WriteStartObject("stateDiff");
        foreach (var name in ComparedMembers)
        {
            if ((left.Member(name), right.Member(name)) is not (null, null) and var pair)
                WriteDifference(writer, name, pair.Item1, pair.Item2, inner: name is "variables" or "channels");
        }

        writer.WriteEndObject();
    }

    /// <param name="inner">True for maps whose members are compared one by one.</param>
    private static void WriteDifference(Utf8JsonWriter writer, string name, JsonElement? a, JsonElement? b, bool inner)
    {
        if (a is { } left && b is { } right && JsonElement.DeepEquals(left, right))
            return;

        writer.WriteStartObject(name);
        if (inner)
        {
            foreach (var member in NamesOf(a).Union(NamesOf(b), StringComparer.Ordinal).Order(StringComparer.Ordinal))
                WriteDifference(writer, member, a?.Member(member), b?.Member(member), inner: false);
        }
        else
        {
            WriteValue(writer, "a"u8, a);
            WriteValue(writer, "b"u8, b);
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<string> NamesOf(JsonElement? map) =>
        map is { ValueKind: JsonValueKind.Object } members ? members.EnumerateObject().Select(member => member.Name) : [];

    private static void WriteValue(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement? value)
    {
        if (value is not { } given)
            return;

        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(given), skipInputValidation: true);
    }
}
