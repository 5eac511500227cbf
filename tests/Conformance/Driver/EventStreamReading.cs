using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Conformance.Driver;

/// <summary>What came over one stream.</summary>
/// <param name="EndedByHost">False when the client left.</param>
internal sealed record EventStreamReading(IReadOnlyList<StreamFrame> Frames, bool EndedByHost, TimeSpan Elapsed)
{
    public IEnumerable<string> Types => Frames.Select(frame => frame.Event);

    /// <summary>Demands that the host has ended the stream.</summary>
    public EventStreamReading Ended()
    {
        Expect.That(EndedByHost, "The host did not end the stream.");
        return this;
    }
}

/// <summary>One frame, held against the published schemas.</summary>
internal sealed record StreamFrame(string Event, long? Sequence, JsonElement Data)
{
    public static StreamFrame Read(string @event, string? id, string data)
    {
        var frame = new StreamFrame(@event, long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : null, JsonElement.Parse(data));
        frame.Check();
        return frame;
    }

    private void Check()
    {
        switch (Event)
        {
            case "state.snapshot":
                WireContract.CheckSnapshot(Data);
                break;
            case "ai.message.chunk":
                Expect.That(Data.GetProperty("isLast").ValueKind is JsonValueKind.True or JsonValueKind.False, "isLast of a chunk is not a boolean");
                break;
            case "batch":
                Expect.That(Data.ValueKind == JsonValueKind.Array && Data.GetArrayLength() > 0, "A batch is not a list of events.");
                foreach (var document in Data.EnumerateArray())
                    WireContract.CheckEvent(document);
                Expect.Equal(Data.EnumerateArray().Last().GetProperty("sequence").GetInt64(), Sequence, "id of a batch");
                break;
            default:
                WireContract.CheckEvent(Data);
                Expect.Equal(Event, Data.GetProperty("type").GetString(), "name of a frame");
                Expect.Equal(Data.GetProperty("sequence").GetInt64(), Sequence, "id of a frame");
                break;
        }
    }
}
