using System.Buffers.Binary;
using System.Text;
using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Shards;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>
/// Committed events on the bus: one topic per run, one message per append. The position of a message is the sequence of its last
/// event; the payload holds the events themselves, so that a follower that keeps up never reads the log.
/// </summary>
internal static class RunTopic
{
    private const int HeaderSize = sizeof(long) + (3 * sizeof(int));

    public static string Of(string runId) => "runs/" + runId;

    /// <summary>What the topics of all runs of a shard begin with.</summary>
    public static string OfShard(int shard) => Of(RunIds.PrefixOf(shard));

    public static BusMessage MessageOf(string runId, IReadOnlyList<EncodedEvent> events)
    {
        var payload = new byte[events.Sum(SizeOf)];
        var rest = payload.AsSpan();
        foreach (var @event in events)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, @event.Sequence);
            BinaryPrimitives.WriteInt32LittleEndian(rest[8..], Encoding.UTF8.GetByteCount(@event.Type));
            BinaryPrimitives.WriteInt32LittleEndian(rest[12..], @event.Document.Length);
            BinaryPrimitives.WriteInt32LittleEndian(rest[16..], @event.Facts.Length);
            rest = rest[HeaderSize..];
            rest = rest[Encoding.UTF8.GetBytes(@event.Type, rest)..];
            @event.Document.Span.CopyTo(rest);
            rest = rest[@event.Document.Length..];
            @event.Facts.Span.CopyTo(rest);
            rest = rest[@event.Facts.Length..];
        }

        return new BusMessage(Of(runId), events[^1].Sequence, payload);
    }

    /// <summary>The events of a message; their bytes are slices of its payload.</summary>
    public static List<EncodedEvent> EventsOf(BusMessage message)
    {
        List<EncodedEvent> events = [];
        for (var rest = message.Payload; !rest.IsEmpty;)
        {
            var sequence = BinaryPrimitives.ReadInt64LittleEndian(rest.Span);
            var typeLength = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[8..]);
            var documentLength = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[12..]);
            var factsLength = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[16..]);
            rest = rest[HeaderSize..];
            var type = Encoding.UTF8.GetString(rest.Span[..typeLength]);
            var document = rest.Slice(typeLength, documentLength);
            var facts = rest.Slice(typeLength + documentLength, factsLength);
            events.Add(new EncodedEvent(sequence, type, document, facts));
            rest = rest[(typeLength + documentLength + factsLength)..];
        }

        return events;
    }

    private static int SizeOf(EncodedEvent @event) =>
        HeaderSize + Encoding.UTF8.GetByteCount(@event.Type) + @event.Document.Length + @event.Facts.Length;
}
