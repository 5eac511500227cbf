using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>Turns events into the frames of one subscription's modes (spec/runs-streams-replay.md 6.2 to 6.5).</summary>
internal sealed class FrameWriter(string runId, StreamMode modes)
{
    private RunState state = RunState.Empty;

    /// <summary>The frame of an event, or null when no mode shows it.</summary>
    /// <param name="shown">False for events before the cursor: they are folded, not sent.</param>
    public Frame? Write(EncodedEvent @event, bool shown)
    {
        if (modes == StreamMode.Values)
        {
            state = Fold.Apply(state, EventCodec.Decode(@event));
            return shown && modes.Shows(@event.Type) ? Snapshot() : null;
        }

        if (shown && @event.Type == EventTypes.OutputChunk && modes.HasFlag(StreamMode.Messages))
            return Chunk(@event);

        return shown && modes.Shows(@event.Type)
            ? new Frame { Event = @event.Type, Sequence = @event.Sequence, Json = UnsafeByteOperations.UnsafeWrap(@event.Document) }
            : null;
    }

    /// <summary>A chunk by itself, which is its payload.</summary>
    private static Frame Chunk(EncodedEvent @event) => new()
    {
        Event = "ai.message.chunk",
        Sequence = @event.Sequence,
        Json = ByteString.CopyFrom(JsonMarshal.GetRawUtf8Value(JsonElement.Parse(@event.Document.Span, JsonValues.ReadOptions).GetProperty("payload"))),
    };

    /// <summary>A snapshot frame of all that has been folded so far.</summary>
    public Frame Snapshot() => new()
    {
        Event = "state.snapshot",
        Sequence = state.LastSequence,
        Json = UnsafeByteOperations.UnsafeWrap(RunSnapshot.Write(runId, state)),
    };
}
