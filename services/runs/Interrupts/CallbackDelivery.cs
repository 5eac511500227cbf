using System.Diagnostics;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.ServiceDefaults.Logging;

namespace OpenWop.Micro.Runs.Interrupts;

/// <summary>
/// Tells callers who gave a <c>callbackUrl</c> where an interrupt can be answered (spec/interrupts-state-storage.md 2.2): after the
/// commit, through the egress guard, a few tries. Best effort: what a crash or a full queue loses is still in the snapshot.
/// </summary>
internal sealed partial class CallbackDelivery(
    EgressHttp http, InterruptTokens tokens, IConfiguration configuration, TimeProvider clock, ILogger<CallbackDelivery> logger) : BackgroundService
{
    private const int Capacity = 4096;
    private const int Workers = 8;
    private const int Tries = 3;

    /// <summary>Time of one try.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Pause after the first try; the next is four times as long.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly Channel<InterruptCallback> queue = Channel.CreateBounded<InterruptCallback>(Capacity);
    private readonly string? baseUrl = configuration.PublicBaseUrl();

    /// <summary>Called in commit order; does not wait.</summary>
    public void Committed(RunAppend append)
    {
        foreach (var callback in InterruptCallback.Of(append.Events, append.State))
        {
            using var scope = logger.BeginRun(callback.RunId, callback.Tenant, callback.NodeId);
            if (baseUrl is null)
                Log.NoAddress(logger, callback.RunId);
            else if (!queue.Writer.TryWrite(callback))
                Log.Dropped(logger, callback.RunId, callback.NodeId);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(stoppingToken)));

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        await foreach (var callback in queue.Reader.ReadAllAsync(stoppingToken))
            await DeliverAsync(callback, stoppingToken);
    }

    private async Task DeliverAsync(InterruptCallback callback, CancellationToken stoppingToken)
    {
        using var trace = callback.Trace is { } context
            ? new Activity("openwop.callback").SetParentId(context.TraceId, context.SpanId, context.TraceFlags).Start()
            : null;
        using var scope = logger.BeginRun(callback.RunId, callback.Tenant, callback.NodeId);
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++, pause *= 4)
        {
            var problem = await TryAsync(callback, stoppingToken);
            if (problem is null)
                return;

            if (attempt == Tries || !problem.Value.MayPass)
            {
                Log.GivenUp(logger, callback.RunId, callback.NodeId, problem.Value.Reason);
                return;
            }

            await Task.Delay(pause, clock, stoppingToken);
        }
    }

    /// <summary>What is wrong, or null when the other side has taken it.</summary>
    private async Task<(string Reason, bool MayPass)?> TryAsync(InterruptCallback callback, CancellationToken stoppingToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, callback.Target) { Content = ContentOf(callback) };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", callback.Interrupt.Id);
            using var answer = await http.SendAsync(request, limit.Token);
            var status = (int)answer.StatusCode;
            return status is >= 200 and <= 299 ? null : ($"status {status}", status is 408 or 429 or >= 500);
        }
        catch (EgressDeniedException denied)
        {
            return (denied.Denial.Reason, MayPass: false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
        {
            return ("no answer", MayPass: true);
        }
    }

    private ByteArrayContent ContentOf(InterruptCallback callback)
    {
        var token = tokens.Mint(callback.RunId, callback.NodeId, callback.Interrupt, callback.DueAt);
        var document = JsonValues.Object(writer =>
        {
            writer.WriteString("runId", callback.RunId);
            writer.WriteString("nodeId", callback.NodeId);
            writer.WriteString("interruptId", callback.Interrupt.Id);
            writer.WriteString("kind", callback.Interrupt.Request.Kind);
            writer.WriteString("requestedAt", Timestamps.Format(callback.Interrupt.RequestedAt));
            if (callback.DueAt is { } due)
                writer.WriteString("dueAt", Timestamps.Format(due));

            writer.WriteString("interruptToken", token);
            writer.WriteString("callbackUrl", InterruptCallback.UrlOf(baseUrl!, token));
        });
        var content = new ByteArrayContent(JsonMarshal.GetRawUtf8Value(document).ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Run {RunId} has a callbackUrl that is not called: OPENWOP_PUBLIC_URL is not set")]
        public static partial void NoAddress(ILogger logger, string runId);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "Run {RunId}, node {NodeId}: too many callbacks wait; this one is dropped")]
        public static partial void Dropped(ILogger logger, string runId, string nodeId);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "Run {RunId}, node {NodeId}: the callback was not delivered: {Reason}")]
        public static partial void GivenUp(ILogger logger, string runId, string nodeId, string reason);
    }
}
