using System.Globalization;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Events;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>What a subscriber asked for, validated (spec/runs-streams-replay.md 6.2, 6.5).</summary>
/// <param name="Modes">Names of the modes; empty = the default mode.</param>
/// <param name="BufferMs">0..5000; 0 = no batching.</param>
internal sealed record StreamQuery(IReadOnlyList<string> Modes, int BufferMs)
{
    private const int MaxBufferMs = 5000;

    /// <param name="streamMode">Comma separated modes; null = absent.</param>
    /// <param name="bufferMs">Text of the number; null = absent.</param>
    /// <exception cref="ProtocolException">400: <c>unsupported_stream_mode</c>, or <c>validation_error</c> for the buffer.</exception>
    public static StreamQuery Parse(string? streamMode, string? bufferMs) =>
        Create(streamMode is null ? [] : streamMode.Split(','), ReadBuffer(bufferMs));

    /// <summary>The same from values that have types already.</summary>
    /// <exception cref="ProtocolException">As for <see cref="Parse"/>.</exception>
    public static StreamQuery Create(IReadOnlyList<string> modes, int bufferMs)
    {
        if (!StreamModes.TryParse(modes, out _, out var error))
            throw new ProtocolException(error);

        return bufferMs is >= 0 and <= MaxBufferMs ? new(modes, bufferMs) : throw OutOfRange();
    }

    private static int ReadBuffer(string? text) =>
        text is null ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds
        : throw OutOfRange();

    private static ProtocolException OutOfRange() =>
        new(ProtocolError.Validation($"bufferMs must be a whole number from 0 to {MaxBufferMs}.", "bufferMs"));
}
