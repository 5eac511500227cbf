using System.Text.Json;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class EventStreamTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private GatewayHost _gateway = null!;
    private Channel<FrameBatch> _frames = null!;

    public async Task InitializeAsync()
    {
        _gateway = await GatewayHost.StartAsync(_time);
        _frames = _gateway.Services.AddStream("run-1");
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Headers_come_at_once_and_frames_as_they_happen()
    {
        using var response = await OpenAsync();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.Equal("no", response.Header("X-Accel-Buffering"));

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Publish(("run.started", 0, """{"sequence":0}"""));
        Assert.Equal(["id: 0", "event: run.started", """data: {"sequence":0}""", ""], await LinesAsync(reader, 4));

        Publish(("state.snapshot", -1, "{}"), ("run.completed", 7, "{}"));
        _frames.Writer.Complete();
        Assert.Equal(
            ["event: state.snapshot", "data: {}", "", "id: 7", "event: run.completed", "data: {}", ""],
            await LinesAsync(reader, 7));
        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task While_nothing_happens_a_comment_comes_every_15_seconds()
    {
        using var response = await OpenAsync();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var i = 0; i < 3; i++)
        {
            var lines = LinesAsync(reader, 2);
            await Eventually.TrueAsync(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                return lines.Wait(50);
            });
            Assert.Equal([":keepalive", ""], await lines);
        }
    }

    [Theory]
    [InlineData("5", 5L, "")]
    [InlineData("0", 0L, "")]
    [InlineData("run-1.5", null, "run-1.5")]
    [InlineData("", null, "")]
    public async Task A_stream_resumes_after_the_last_event_seen(string lastEventId, long? sequence, string eventId)
    {
        using var response = await _gateway.SendAsync("GET", "/v1/runs/run-1/events?streamMode=debug,messages&bufferMs=20", headers: ("Last-Event-ID", lastEventId));
        var request = Assert.Single(_gateway.Services.Received.OfType<StreamFramesRequest>());
        Assert.Equal(sequence, request.HasAfterSequence ? request.AfterSequence : null);
        Assert.Equal(eventId, request.AfterEventId);
        Assert.Equal(["debug", "messages"], request.Modes);
        Assert.Equal(20, request.BufferMs);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_subscription()
    {
        var response = await OpenAsync();
        response.Dispose();
        await Eventually.TrueAsync(() =>
        {
            // Only a write shows that the other side is gone.
            Publish(("x", 1, "{}"));
            return _gateway.Services.Ended > 0;
        });
    }

    [Fact]
    public async Task A_stream_that_breaks_behind_the_gateway_is_cut_so_that_the_client_resumes()
    {
        using var response = await OpenAsync();
        Publish(("run.started", 0, "{}"));
        _frames.Writer.Complete(new InvalidOperationException("boom"));
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Streams_end_when_the_process_is_asked_to_stop()
    {
        using var response = await OpenAsync();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Publish(("run.started", 0, "{}"));
        Assert.Equal("id: 0", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(5)));
        _gateway.Provider.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        Assert.Contains("run.started", await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Grpc_streams_the_same_frames()
    {
        using var call = _gateway.Engine.StreamRunEvents(
            new StreamRunEventsRequest { RunId = "run-1", StreamModes = { "debug" }, LastSequence = 3 }, GatewayHost.GrpcHeaders());
        Publish(("a", 4, """{"x":1.0}"""), ("b", 5, "{}"));
        _frames.Writer.Complete();
        var frames = new List<(string, long, string)>();
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
            frames.Add((call.ResponseStream.Current.Event, call.ResponseStream.Current.Sequence, call.ResponseStream.Current.Json.ToStringUtf8()));
        Assert.Equal([("a", 4, """{"x":1.0}"""), ("b", 5, "{}")], frames);
        Assert.Equal(3, Assert.Single(_gateway.Services.Received.OfType<StreamFramesRequest>()).AfterSequence);
    }

    [Fact]
    public async Task Clients_that_take_json_get_the_whole_log_page_by_page()
    {
        _gateway.Services.ReadEvents = request => request.HasAfterSequence
            ? Page(2, complete: true, "{\"sequence\":2}")
            : Page(1, complete: false, "{\"sequence\":0}", "{\"sequence\":1}");
        using var response = await _gateway.SendAsync("GET", "/v1/runs/run-1/events", headers: ("Accept", "application/json"));
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(
            """{"runId":"run-1","events":[{"sequence":0},{"sequence":1},{"sequence":2}],"lastEventSeq":2,"runStatus":"completed","isTerminal":true,"isComplete":true}""",
            await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_bad_stream_mode_is_refused_before_the_format_is_chosen()
    {
        var response = await _gateway.SendAsync("GET", "/v1/runs/run-1/events?streamMode=values,debug", headers: ("Accept", "application/json"));
        var envelope = await response.ErrorAsync(400, "unsupported_stream_mode");
        Assert.Equal(
            ["values", "updates", "messages", "debug"],
            envelope.GetProperty("details").GetProperty("supported").EnumerateArray().Select(mode => mode.GetString()!));
    }

    [Theory]
    [InlineData("", null, 30)]
    [InlineData("?lastSequence=0", 0L, 30)]
    [InlineData("?since=4", 4L, 30)]
    [InlineData("?lastSequence=7&timeout=1", 7L, 1)]
    [InlineData("?timeout=0", null, 1)]
    [InlineData("?timeout=100", null, 60)]
    public async Task A_poll_passes_on_cursor_and_patience(string query, long? after, int seconds)
    {
        _gateway.Services.ReadEvents = _ => Page(9, complete: true);
        var json = await (await _gateway.SendAsync("GET", "/v1/runs/run-1/events/poll" + query)).JsonAsync();
        Assert.Equal(9, json.GetProperty("lastEventSeq").GetInt64());
        Assert.Equal(JsonValueKind.Array, json.GetProperty("events").ValueKind);
        var request = Assert.Single(_gateway.Services.Received.OfType<ReadEventsRequest>());
        Assert.Equal(after, request.HasAfterSequence ? request.AfterSequence : null);
        Assert.Equal(seconds * 1000, request.WaitMs);
    }

    private static ReadEventsReply Page(long last, bool complete, params string[] events) => new()
    {
        Events = { events.Select(ByteString.CopyFromUtf8) },
        LastSequence = last,
        Status = "completed",
        Terminal = true,
        Complete = complete,
    };

    private static async Task<string[]> LinesAsync(StreamReader reader, int count)
    {
        var lines = new string[count];
        for (var i = 0; i < count; i++)
            lines[i] = (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)))!;
        return lines;
    }

    private Task<HttpResponseMessage> OpenAsync() =>
        _gateway.SendAsync("GET", "/v1/runs/run-1/events", headers: ("Accept", "text/event-stream")).WaitAsync(TimeSpan.FromSeconds(20));

    private void Publish(params (string Event, long Sequence, string Json)[] frames) => _frames.Writer.TryWrite(new FrameBatch
    {
        Frames = { frames.Select(frame => new Frame { Event = frame.Event, Sequence = frame.Sequence, Json = ByteString.CopyFromUtf8(frame.Json) }) },
    });
}
