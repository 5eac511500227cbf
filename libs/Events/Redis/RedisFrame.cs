using System.Buffers.Binary;

namespace OpenWop.Micro.Events.Redis;

/// <summary>A message on its way through Redis: 8 bytes sender, 8 bytes position, both big-endian, then the payload.</summary>
internal static class RedisFrame
{
    private const int HeaderSize = 16;

    public static byte[] Write(ulong sender, in BusMessage message)
    {
        var frame = new byte[HeaderSize + message.Payload.Length];
        BinaryPrimitives.WriteUInt64BigEndian(frame, sender);
        BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(8), message.Position);
        message.Payload.Span.CopyTo(frame.AsSpan(HeaderSize));
        return frame;
    }

    /// <summary>False for bytes that are no message of ours.</summary>
    public static bool TryRead(string topic, byte[]? frame, out ulong sender, out BusMessage message)
    {
        sender = 0;
        message = default;
        if (frame is null || frame.Length < HeaderSize)
            return false;

        sender = BinaryPrimitives.ReadUInt64BigEndian(frame);
        message = new BusMessage(topic, BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(8)), frame.AsMemory(HeaderSize));
        return !message.IsGap;
    }
}
