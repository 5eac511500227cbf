namespace OpenWop.Micro.Events;

/// <summary>One notification. The payload is never changed after it was published.</summary>
/// <param name="Topic">What it is about, such as <c>runs/{runId}</c>.</param>
/// <param name="Position">
/// Where the publisher's log stands, such as the sequence of an event: what subscribers order by, drop duplicates by and notice
/// missing messages by. Negative only for a gap.
/// </param>
/// <param name="Payload">Bytes that the topic's publisher defines.</param>
public readonly record struct BusMessage(string Topic, long Position, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Stands for messages that this subscriber has missed: it has to read the log before it believes to know everything.</summary>
    public bool IsGap => Position < 0;

    internal static BusMessage Gap => new("", -1, default);
}
