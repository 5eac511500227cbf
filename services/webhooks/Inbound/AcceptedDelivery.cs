using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>A delivery that has made a run.</summary>
/// <param name="Id">Digest of the sender's id, or random where it sent none; <c>causationId</c> of the run's first event.</param>
internal sealed record AcceptedDelivery(string Id, string RunId, DateTimeOffset ReceivedAt)
{
    /// <summary>What the next page goes on after.</summary>
    public string Cursor => string.Create(CultureInfo.InvariantCulture, $"{ReceivedAt.ToUnixTimeMilliseconds()}.{Id}");

    /// <summary>Null = there is none, or it is no cursor, and then the list begins anew.</summary>
    public static (long ReceivedAt, string Id)? ParseCursor(string cursor) =>
        cursor.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
        && long.TryParse(cursor.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var receivedAt)
            ? (receivedAt, cursor[(dot + 1)..])
            : null;

    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(192);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, Id);
            writer.WriteString("runId"u8, RunId);
            writer.WriteString("receivedAt"u8, ReceivedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
