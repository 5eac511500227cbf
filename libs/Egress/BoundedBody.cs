using System.Buffers;

namespace OpenWop.Micro.Egress;

/// <summary>Reads bodies of answers that may be larger than they should be.</summary>
public static class BoundedBody
{
    /// <summary>
    /// The decompressed body, or null when it has more than <paramref name="maxBytes"/>. Never buffers more than that: a small
    /// compressed body may be an endless one.
    /// </summary>
    /// <exception cref="IOException">The connection broke in the middle.</exception>
    /// <exception cref="InvalidDataException">The compression is broken.</exception>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        if (content.Headers.ContentLength > maxBytes)
        {
            return null;
        }

        var body = new ArrayBufferWriter<byte>();
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = stream.ConfigureAwait(false);
        while (true)
        {
            // One byte more than allowed tells "full" from "too large".
            var room = body.GetMemory(Math.Min(16 * 1024, maxBytes - body.WrittenCount + 1));
            var count = await stream.ReadAsync(room, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return body.WrittenSpan.ToArray();
            }

            body.Advance(count);
            if (body.WrittenCount > maxBytes)
            {
                return null;
            }
        }
    }
}
