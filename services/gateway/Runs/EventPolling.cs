using System.Buffers;
using System.Globalization;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Authentication;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>Events as documents: the long poll, and the whole log for clients that take JSON (spec/runs-streams-replay.md 6.1, 7).</summary>
internal sealed class EventPolling(Contracts.Runs.V1.Runs.RunsClient runs, IHostApplicationLifetime lifetime)
{
    private const int DefaultTimeoutSeconds = 30;
    private const int MaxTimeoutSeconds = 60;

    /// <summary><c>GET /v1/runs/{runId}/events/poll</c>.</summary>
    public async Task<Answer> PollAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var runId = RunOperations.RequireRunId(call.ResourceId);
        var timeout = TimeSpan.FromSeconds(ReadTimeout(call.Query("timeout")));
        var request = new ReadEventsRequest { RunId = runId, WaitMs = (int)timeout.TotalMilliseconds };
        if ((ReadSequence(call.Query("lastSequence"), "lastSequence") ?? ReadSequence(call.Query("since"), "since")) is { } after)
            request.AfterSequence = after;

        // A shutdown does not wait for a client that waits.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        var page = await runs.ReadEventsAsync(request, call.Caller.CallOptions(RunOperations.Service, timeout + RunOperations.Patience, stopping.Token));

        var body = new ArrayBufferWriter<byte>(EventPageWriter.FrameSize + page.Events.Sum(document => document.Length + 1));
        var first = true;
        EventPageWriter.WriteStart(body, runId);
        EventPageWriter.WriteEvents(body, page.Events, ref first);
        EventPageWriter.WriteEnd(body, page);
        return Answer.Json(StatusCodes.Status200OK, body.WrittenMemory);
    }

    /// <summary>The whole log up to now, page by page: it may be larger than what one message or one buffer should hold.</summary>
    public async Task WriteLogAsync(HttpContext context, ApiCaller caller, string runId)
    {
        var cancellationToken = context.RequestAborted;
        var request = new ReadEventsRequest { RunId = runId };
        var page = await runs.ReadEventsAsync(request, caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));

        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/json";
        var output = context.Response.BodyWriter;
        var first = true;
        EventPageWriter.WriteStart(output, runId);
        while (true)
        {
            EventPageWriter.WriteEvents(output, page.Events, ref first);
            await output.FlushAsync(cancellationToken);
            if (page.Complete || page.Events.Count == 0)
                break;

            request.AfterSequence = page.LastSequence;
            page = await runs.ReadEventsAsync(request, caller.CallOptions(RunOperations.Service, RunOperations.Patience, cancellationToken));
        }

        EventPageWriter.WriteEnd(output, page);
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>Out of range is brought into range; what is no number is refused.</summary>
    internal static int ReadTimeout(string? text) =>
        text is null ? DefaultTimeoutSeconds
        : text.Length is > 0 and <= 9 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? Math.Clamp(seconds, 1, MaxTimeoutSeconds)
        : throw new ProtocolException(ProtocolError.Validation($"timeout must be a whole number of seconds from 1 to {MaxTimeoutSeconds}.", "timeout"));

    internal static long? ReadSequence(string? text, string name) =>
        text is null ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence
        : throw new ProtocolException(ProtocolError.Validation($"{name} must be a whole number, 0 or greater.", name));
}
