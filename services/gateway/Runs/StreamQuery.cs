using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>What a subscriber asked for, validated (spec/runs-streams-replay.md 6.2, 6.5).</summary>
/// <param name="Modes">One or several modes; <c>values</c> only alone.</param>
/// <param name="BufferMs">0..5000; 0 = no batching.</param>
internal sealed record StreamQuery(IReadOnlyList<string> Modes, int BufferMs)
{
    private const int MaxBufferMs = 5000;
    private const string Default = "updates";
    private const string Alone = "values";

    private static readonly string[] SupportedModes = ["values", "updates", "messages", "debug"];
    private static readonly FrozenSet<string> Supported = SupportedModes.ToFrozenSet(StringComparer.Ordinal);

    /// <param name="streamMode">Comma separated modes; null = absent.</param>
    /// <param name="bufferMs">Text of the number; null = absent.</param>
    /// <exception cref="ProtocolException">400: <c>unsupported_stream_mode</c>, or <c>validation_error</c> for the buffer.</exception>
    public static StreamQuery Parse(string? streamMode, string? bufferMs) =>
        Create(streamMode is null ? [] : streamMode.Split(','), ReadBuffer(bufferMs));

    /// <summary>The same from values that have types already.</summary>
    /// <exception cref="ProtocolException">As for <see cref="Parse"/>.</exception>
    public static StreamQuery Create(IReadOnlyList<string> modes, int bufferMs)
    {
        if (bufferMs is < 0 or > MaxBufferMs)
            throw OutOfRange();

        if (modes.Count == 0)
            return new([Default], bufferMs);

        var distinct = modes.Distinct(StringComparer.Ordinal).ToArray();
        if (!distinct.All(Supported.Contains) || (distinct.Length > 1 && distinct.Contains(Alone)))
        {
            throw new ProtocolException(new(
                ErrorCodes.UnsupportedStreamMode,
                "streamMode must be one mode, or a list of modes without 'values'.",
                new() { ["supported"] = new JsonArray([.. SupportedModes.Select(mode => JsonValue.Create(mode))]) }));
        }

        return new(distinct, bufferMs);
    }

    private static int ReadBuffer(string? text) =>
        text is null ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds
        : throw OutOfRange();

    private static ProtocolException OutOfRange() =>
        new(ProtocolError.Validation($"bufferMs must be a whole number from 0 to {MaxBufferMs}.", "bufferMs"));
}
