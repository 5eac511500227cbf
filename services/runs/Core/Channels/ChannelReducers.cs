using System.Buffers;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// What a write makes of a channel's value (spec/interrupts-state-storage.md 6.2, 6.4): expired entries are dropped first, then
/// the write is reduced, then what exceeds the size is dropped from the front. Time is the time of the event. A value that does
/// not have the reducer's shape counts as nothing.
/// </summary>
internal static class ChannelReducers
{
    public const string Replace = "replace";
    public const string Append = "append";
    public const string Merge = "merge";
    public const string Counter = "counter";
    public const string Votes = "votes";
    public const string Feedback = "feedback";
    public const string Message = "message";

    private const string WrappedValue = "value";
    private const string WrappedTime = "_ts";

    private static readonly JsonElement EmptyList = JsonElement.Parse("[]"u8);
    private static readonly JsonElement Zero = JsonElement.Parse("0"u8);

    public static bool IsKnown(string reducer) => reducer is Replace or Append or Merge or Counter or Votes or Feedback or Message;

    /// <summary>True when writes accumulate as entries of a list.</summary>
    public static bool IsList(string reducer) => reducer is Append or Votes or Feedback or Message;

    /// <summary>True when entries may expire; elsewhere a time to live is ignored.</summary>
    public static bool HasTtl(string reducer) => reducer is Append or Votes or Feedback;

    /// <summary>The value before any write; undefined when there is none.</summary>
    public static JsonElement InitialValue(string reducer) => IsList(reducer) ? EmptyList : reducer == Counter ? Zero : default;

    /// <summary>A write as an entry that expires.</summary>
    public static JsonElement Wrap(JsonElement value, DateTimeOffset at) => JsonValues.Object(writer =>
    {
        writer.WritePropertyName(WrappedValue);
        value.WriteTo(writer);
        writer.WriteNumber(WrappedTime, at.ToUnixTimeMilliseconds());
    });

    /// <summary>The entry as it was written.</summary>
    public static JsonElement Unwrap(JsonElement entry, bool wrapped) => wrapped && entry.Member(WrappedValue) is { } value ? value : entry;

    /// <param name="current">The value so far; undefined for none.</param>
    /// <param name="write">The write of an event whose reducer is not known to this engine replaces the value.</param>
    public static JsonElement Reduce(JsonElement current, ChannelWritten write, DateTimeOffset now) => write.Reducer switch
    {
        Append or Feedback => Push(current, write, now, _ => false),
        Votes => Push(current, write, now, SameVoter(write)),
        Message => HasMessage(current, write.Value) ? current : Push(current, write, now, _ => false),
        Merge => MergeInto(current, write.Value),
        Counter => Add(current, write.Value),
        _ => write.Value,
    };

    /// <summary>Whose vote an entry is; null when it does not say.</summary>
    public static string? VoterOf(JsonElement vote) => vote.StringMember("userId") ?? vote.StringMember("voter");

    private static Func<JsonElement, bool> SameVoter(ChannelWritten write)
    {
        var wrapped = write.TtlMs is not null;
        var voter = VoterOf(Unwrap(write.Value, wrapped));
        return entry => voter is not null && VoterOf(Unwrap(entry, wrapped)) == voter;
    }

    private static bool HasMessage(JsonElement current, JsonElement message) =>
        message.StringMember("messageId") is { } id
        && current.ValueKind == JsonValueKind.Array
        && current.EnumerateArray().Any(entry => entry.StringMember("messageId") == id);

    private static JsonElement Push(JsonElement current, ChannelWritten write, DateTimeOffset now, Func<JsonElement, bool> replaced)
    {
        var oldest = write.TtlMs is { } ttl ? now.ToUnixTimeMilliseconds() - ttl : (long?)null;
        List<JsonElement> entries = current.ValueKind == JsonValueKind.Array
            ? [.. current.EnumerateArray().Where(entry => !(entry.IntegerMember(WrappedTime) < oldest) && !replaced(entry))]
            : [];
        entries.Add(write.Value);
        var excess = write.MaxSize is { } size ? Math.Max(0, entries.Count - size) : 0;
        return Write(writer =>
        {
            writer.WriteStartArray();
            foreach (var entry in entries.Skip(excess))
                entry.WriteTo(writer);

            writer.WriteEndArray();
        });
    }

    /// <summary>Shallow: a nested object replaces the one that was there.</summary>
    private static JsonElement MergeInto(JsonElement current, JsonElement write)
    {
        if (write.ValueKind != JsonValueKind.Object)
            return current;

        return JsonValues.Object(writer =>
        {
            if (current.ValueKind == JsonValueKind.Object)
            {
                foreach (var member in current.EnumerateObject().Where(member => write.Member(member.Name) is null))
                    member.WriteTo(writer);
            }

            foreach (var member in write.EnumerateObject())
                member.WriteTo(writer);
        });
    }

    /// <summary>Exact as long as the numbers are: integers stay integers, decimals stay decimals.</summary>
    private static JsonElement Add(JsonElement current, JsonElement write)
    {
        if (write.ValueKind != JsonValueKind.Number)
            return current;

        var sum = current.ValueKind == JsonValueKind.Number ? current : Zero;
        if (sum.TryGetInt64(out var a) && write.TryGetInt64(out var b) && !Overflows(a, b))
            return Write(writer => writer.WriteNumberValue(a + b));

        if (sum.TryGetDecimal(out var c) && write.TryGetDecimal(out var d) && decimal.Abs(c) <= decimal.MaxValue / 2 && decimal.Abs(d) <= decimal.MaxValue / 2)
            return Write(writer => writer.WriteNumberValue(c + d));

        var total = sum.GetDouble() + write.GetDouble();
        return double.IsFinite(total) ? Write(writer => writer.WriteNumberValue(total)) : current;
    }

    private static bool Overflows(long a, long b) => b > 0 ? a > long.MaxValue - b : a < long.MinValue - b;

    private static JsonElement Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            write(writer);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
