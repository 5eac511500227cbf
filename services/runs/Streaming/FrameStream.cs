using System.Buffers;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>
/// The frames of one subscription. With a buffer time everything travels in <c>batch</c> frames, which are sent when the time
/// is over and at once on a suspension, at the end of the run, and never empty (spec/runs-streams-replay.md 6.5).
/// </summary>
internal sealed class FrameStream(EventFeed feed, TimeProvider clock)
{
    public async IAsyncEnumerable<FrameBatch> ReadAsync(
        string runId, long afterSequence, StreamMode modes, int bufferMs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var writer = new FrameWriter(runId, modes);

        // A snapshot is a fold of everything, so that values subscribers read from the start and are shown what follows the cursor.
        var readAfter = modes == StreamMode.Values ? -1 : afterSequence;
        var resumed = modes == StreamMode.Values && afterSequence >= 0;
        var buffer = new List<Frame>();
        await using var batches = feed.FollowAsync(runId, readAfter, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var next = batches.MoveNextAsync().AsTask();
        Task? flushAt = null;
        while (true)
        {
            if (flushAt is not null && await Task.WhenAny(next, flushAt) == flushAt)
            {
                await flushAt;
                flushAt = null;
                yield return Batch(buffer);
                continue;
            }

            if (!await next)
            {
                break;
            }

            var flush = Collect(batches.Current, writer, afterSequence, ref resumed, buffer);
            next = batches.MoveNextAsync().AsTask();
            if (buffer.Count == 0)
            {
                continue;
            }

            if (bufferMs == 0)
            {
                yield return Frames(buffer);
            }
            else if (flush)
            {
                flushAt = null;
                yield return Batch(buffer);
            }
            else
            {
                flushAt ??= Task.Delay(TimeSpan.FromMilliseconds(bufferMs), clock, cancellationToken);
            }
        }

        if (buffer.Count > 0)
        {
            yield return Batch(buffer);
        }
    }

    /// <summary>Adds the frames of a batch of events; true when they must not wait.</summary>
    private static bool Collect(IReadOnlyList<EncodedEvent> events, FrameWriter writer, long afterSequence, ref bool resumed, List<Frame> buffer)
    {
        var flush = false;
        foreach (var @event in events)
        {
            var shown = @event.Sequence > afterSequence;
            if (writer.Write(@event, shown) is { } frame)
            {
                buffer.Add(frame);
            }

            // A resumed values stream starts with the state at its cursor, even if nothing follows.
            if (resumed && @event.Sequence == afterSequence)
            {
                resumed = false;
                buffer.Add(writer.Snapshot());
            }

            flush |= EventTypes.IsTerminal(@event.Type) || @event.Type == EventTypes.NodeSuspended;
        }

        return flush;
    }

    private static FrameBatch Frames(List<Frame> buffer)
    {
        var batch = new FrameBatch();
        batch.Frames.AddRange(buffer);
        buffer.Clear();
        return batch;
    }

    private static FrameBatch Batch(List<Frame> buffer)
    {
        var array = new ArrayBufferWriter<byte>(buffer.Sum(frame => frame.Json.Length + 1) + 1);
        array.Write("["u8);
        for (var i = 0; i < buffer.Count; i++)
        {
            array.Write(i == 0 ? ""u8 : ","u8);
            array.Write(buffer[i].Json.Span);
        }

        array.Write("]"u8);
        var frame = new Frame { Event = "batch", Sequence = buffer[^1].Sequence, Json = UnsafeByteOperations.UnsafeWrap(array.WrittenMemory) };
        buffer.Clear();
        return new FrameBatch { Frames = { frame } };
    }
}
