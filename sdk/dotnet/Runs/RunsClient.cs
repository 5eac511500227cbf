using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Runs;

/// <summary>
/// Runs and their events. Reading needs the scope <c>runs:read</c>, starting and forking <c>runs:create</c>, cancelling, pausing and resuming
/// <c>runs:cancel</c>, answering <c>approvals:respond</c>. A run that does not exist, or is somebody else's, is 404.
/// </summary>
public sealed class RunsClient
{
    private readonly OpenWopTransport _transport;
    private readonly TimeProvider _time;

    internal RunsClient(OpenWopTransport transport, TimeProvider time) => (_transport, _time) = (transport, time);

    /// <summary>Starts a run. Repeated by itself where the network fails; the run is made once. When the answer is there, it is durable.</summary>
    /// <param name="run">What it shall be.</param>
    /// <param name="idempotencyKey">The same key is the same run for a day; null = a new one for this call.</param>
    /// <exception cref="OpenWopException">400 <c>validation_error</c>: inputs that do not fit; 404: there is no such workflow; 409 <c>idempotency_key_conflict</c> and the like.</exception>
    public Task<CreatedRun> CreateAsync(NewRun run, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<CreatedRun>(Post("/v1/runs", run, idempotencyKey), cancellationToken);

    /// <summary>The snapshot of a run.</summary>
    public Task<RunSnapshot> GetAsync(string runId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<RunSnapshot>(new Request(HttpMethod.Get, Path(runId)), cancellationToken);

    /// <summary>The snapshot as the server sent it.</summary>
    public Task<JsonElement> GetDocumentAsync(string runId, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, Path(runId)), cancellationToken);

    /// <summary>A page of runs, newest first.</summary>
    /// <param name="state">As in <see cref="RunDescription.State"/>.</param>
    /// <param name="workflowId">Runs of one workflow.</param>
    /// <param name="tag">Runs that have the tag.</param>
    /// <param name="limit">1 to 200; null = the server's choice.</param>
    /// <param name="after">The cursor of the page before.</param>
    public Task<Page<RunDescription>> ListAsync(
        string? state = null, string? workflowId = null, string? tag = null, int? limit = null, string? after = null, CancellationToken cancellationToken = default)
    {
        var query = new List<string>();
        foreach (var (name, value) in new[] { ("state", state), ("workflowId", workflowId), ("tag", tag) })
        {
            if (value is not null)
                query.Add($"{name}={Uri.EscapeDataString(value)}");
        }

        return _transport.PageAsync<RunDescription>(query.Count == 0 ? "/api/runs" : "/api/runs?" + string.Join('&', query), limit, after, cancellationToken);
    }

    /// <summary>The attempts at blocks, oldest first.</summary>
    public IAsyncEnumerable<RunLogEntry> LogsAsync(string runId, CancellationToken cancellationToken = default) =>
        _transport.AllAsync<RunLogEntry>($"/api/runs/{Json.Segment(runId)}/logs", cancellationToken);

    /// <summary>Cancels a run. One that is over stays as it is.</summary>
    /// <param name="reason">For the log of the run.</param>
    public Task CancelAsync(string runId, string? reason = null, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Post(Path(runId) + "/cancel", new { reason }), cancellationToken);

    /// <summary>Keeps a run from starting more nodes.</summary>
    /// <exception cref="OpenWopException">409: the run is over.</exception>
    public Task PauseAsync(string runId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Post(Path(runId) + ":pause", new { }), cancellationToken);

    /// <summary>Lets a paused run go on.</summary>
    /// <exception cref="OpenWopException">409: the run is not paused.</exception>
    public Task ResumeAsync(string runId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Post(Path(runId) + ":resume", new { }), cancellationToken);

    /// <summary>A new run from the history of another one.</summary>
    /// <param name="mode"><c>replay</c> repeats what was recorded, <c>branch</c> lives on.</param>
    /// <param name="fromSequence">Where the fork begins to live; null = at the end of what there is for a branch, 0 for a replay.</param>
    /// <exception cref="OpenWopException">400, 422: the history has no such place.</exception>
    public Task<CreatedRun> ForkAsync(string runId, string mode, long? fromSequence = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<CreatedRun>(Post(Path(runId) + ":fork", new { mode, fromSeq = fromSequence }), cancellationToken);

    /// <summary>Answers what a node waits for. Of several answers one wins.</summary>
    /// <param name="resumeValue">What the node expects; for an approval <c>{"action": "accept" | "reject", …}</c>.</param>
    /// <exception cref="OpenWopException">400, 422: it expects something else; 404: it waits for nothing; 409: it has been answered.</exception>
    public Task ResolveAsync(string runId, string nodeId, JsonElement resumeValue, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Post($"{Path(runId)}/interrupts/{Json.Segment(nodeId)}", new { resumeValue }), cancellationToken);

    /// <summary>
    /// The events of a run: stored ones first, then live ones, until the run is over. A broken connection is taken up again after the
    /// last event that was delivered, so that each event comes once and in order.
    /// </summary>
    /// <param name="lastEventId">Goes on after this event; null = from the beginning.</param>
    /// <exception cref="OpenWopException">The server refuses, for example because there is no such run.</exception>
    /// <exception cref="HttpRequestException">The server could not be reached again.</exception>
    public async IAsyncEnumerable<RunEvent> StreamAsync(
        string runId, StreamMode mode = StreamMode.Updates, string? lastEventId = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Broken attempts in a row; an event sets them back.
        var broken = 0;
        while (true)
        {
            var request = new Request(HttpMethod.Get, $"{Path(runId)}/events?streamMode={(mode == StreamMode.Debug ? "debug" : "updates")}")
            {
                Accept = "text/event-stream",
                LastEventId = lastEventId,
            };
            using var response = await _transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using var frames = SseParser.Create(body).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(frames).ConfigureAwait(false) is { } frame)
            {
                if (JsonSerializer.Deserialize<RunEvent>(frame.Data, Json.Options) is not { } runEvent)
                    continue;

                broken = 0;
                lastEventId = frame.EventId ?? lastEventId;
                yield return runEvent;
                if (IsLast(runEvent.Type))
                    yield break;
            }

            // 1. The server ends a stream with the run: ask whether that is what happened. 2. It did not: take the stream up again.
            if ((await GetAsync(runId, cancellationToken).ConfigureAwait(false)).IsOver && broken > 0)
                yield break;

            await Task.Delay(_transport.Backoff(broken++), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the end of a run and answers its last snapshot.</summary>
    public async Task<RunSnapshot> WaitAsync(string runId, CancellationToken cancellationToken = default)
    {
        await foreach (var _ in StreamAsync(runId, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
        }

        return await GetAsync(runId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next frame; null at the end of the stream, or where the connection broke.</summary>
    private static async ValueTask<SseItem<string>?> MoveNextAsync(IAsyncEnumerator<SseItem<string>> frames)
    {
        try
        {
            return await frames.MoveNextAsync().ConfigureAwait(false) ? frames.Current : null;
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or HttpProtocolException)
        {
            return null;
        }
    }

    private static bool IsLast(string type) => type is "run.completed" or "run.failed" or "run.cancelled";

    private static Request Post<T>(string path, T body, string? idempotencyKey = null) => new(HttpMethod.Post, path)
    {
        Body = Json.Bytes(body),
        IdempotencyKey = idempotencyKey ?? Guid.NewGuid().ToString("n"),
    };

    private static string Path(string runId) => "/v1/runs/" + Json.Segment(runId);
}
