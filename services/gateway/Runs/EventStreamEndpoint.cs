using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Gateway.Audit;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.ServiceDefaults.Logging;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>
/// <c>GET /v1/runs/{runId}/events</c> as server-sent events (spec/runs-streams-replay.md 6). Every frame is written as the engine made
/// it; the gateway adds the framing, a sign of life while nothing happens, and nothing else.
/// </summary>
internal sealed partial class EventStreamEndpoint(
    OperationPipeline pipeline,
    Contracts.Runs.V1.Runs.RunsClient runs,
    EventPolling polling,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    AuditLog audit,
    GatewayMetrics metrics,
    ILogger<EventStreamEndpoint> logger)
{
    /// <summary>The protocol asks for one at least every 30 seconds.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    private const int MaxEventIdLength = 128;

    public async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var caller = await pipeline.AdmitAsync(Operations.StreamRunEvents, request.Headers.Authorization, context.RequestAborted);
        var runId = RunOperations.RequireRunId(OperationEndpoints.ResourceId(context));
        using var scope = logger.BeginRun(runId, caller.Tenant);

        // The query is validated before the format is chosen (spec/runs-streams-replay.md 6.1).
        var query = StreamQuery.Parse(request.Query["streamMode"], request.Query["bufferMs"]);
        if (PrefersJson(request.Headers.Accept))
        {
            await polling.WriteLogAsync(context, caller, runId);
            return;
        }

        var subscription = new StreamFramesRequest { RunId = runId, BufferMs = query.BufferMs, Modes = { query.Modes } };
        Resume(subscription, request.Headers["Last-Event-ID"]);
        using var stream = await EventStream.OpenAsync(runs, caller, subscription, lifetime.ApplicationStopping, context.RequestAborted);

        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        metrics.StreamOpened();
        audit.Record(Operations.StreamRunEvents, caller, runId, response.StatusCode, TimeSpan.Zero);
        try
        {
            await response.StartAsync(context.RequestAborted);
            await response.BodyWriter.FlushAsync(context.RequestAborted);
            await CopyAsync(stream, response.BodyWriter, context.RequestAborted);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            if (!context.RequestAborted.IsCancellationRequested)
                Log.Broken(logger, runId, exception.Message);

            // A cut connection tells the client that this was not the end; it resumes with Last-Event-ID.
            context.Abort();
        }
        finally
        {
            metrics.StreamClosed();
        }
    }

    /// <summary>Clients that name <c>application/json</c> and not the stream get the stored events as one document.</summary>
    internal static bool PrefersJson(string? accept) =>
        accept is not null
        && accept.Contains("application/json", StringComparison.OrdinalIgnoreCase)
        && !accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private static void Resume(StreamFramesRequest subscription, string? lastEventId)
    {
        if (string.IsNullOrEmpty(lastEventId) || lastEventId.Length > MaxEventIdLength)
            return;

        if (long.TryParse(lastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            subscription.AfterSequence = sequence;
        else
            subscription.AfterEventId = lastEventId;
    }

    private async Task CopyAsync(EventStream stream, PipeWriter output, CancellationToken cancellationToken)
    {
        using var keepAlive = new PeriodicTimer(KeepAliveInterval, time);
        Task<bool>? tick = null;
        while (true)
        {
            while (!stream.Ready.IsCompleted)
            {
                tick ??= keepAlive.WaitForNextTickAsync(cancellationToken).AsTask();
                await Task.WhenAny(stream.Ready, tick);
                if (!tick.IsCompleted)
                    break;

                await tick;
                tick = null;
                output.Write(":keepalive\n\n"u8);
                await output.FlushAsync(cancellationToken);
            }

            if (!await stream.NextAsync())
                return;

            foreach (var frame in stream.Frames)
                WriteFrame(output, frame);

            stream.Advance();
            var flushed = await output.FlushAsync(cancellationToken);
            if (flushed.IsCompleted)
                return;
        }
    }

    /// <summary><c>id:</c>, <c>event:</c> and <c>data:</c>, then an empty line. The document has no line breaks.</summary>
    internal static void WriteFrame(IBufferWriter<byte> output, Frame frame)
    {
        if (frame.Sequence >= 0)
        {
            output.Write("id: "u8);
            EventPageWriter.WriteNumber(output, frame.Sequence);
            output.Write("\n"u8);
        }

        output.Write("event: "u8);
        Encoding.UTF8.GetBytes(frame.Event, output);
        output.Write("\ndata: "u8);
        output.Write(frame.Json.Span);
        output.Write("\n\n"u8);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The event stream of run {RunId} broke: {Reason}")]
        public static partial void Broken(ILogger logger, string runId, string reason);
    }
}
