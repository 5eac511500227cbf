using System.Data.Common;
using Grpc.Core;
using OpenWop.Micro.Grpc;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Secrets;
using OpenWop.Micro.Runs.Telemetry;
using OpenWop.Micro.ServiceDefaults.Logging;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>Executes attempts with outside effects, a bounded number at a time.</summary>
internal sealed partial class NodeRunner(ActivityLedger activities, IChildRuns childRuns, MemoryStore memory, RunSecrets secrets, TimeProvider clock, ILogger<NodeRunner> logger) : IDisposable
{
    /// <summary>Attempts executed at the same time on one instance; more wait for their turn.</summary>
    public const int MaxConcurrency = 256;

    /// <summary>Pause before an attempt that the database interrupted starts over.</summary>
    private static readonly TimeSpan StartOverPause = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim slots = new(MaxConcurrency);

    /// <summary>
    /// Starts an attempt and reports its result once, unless <paramref name="cancellationToken"/> is cancelled: a cancelled
    /// attempt has no result, whoever cancelled it knows why.
    /// </summary>
    /// <param name="startOver">Called instead when the attempt ended because the database was away; the pause is over then.</param>
    /// <param name="emit">Takes an event of the attempt while it goes on and what to call when it is settled; false when nobody takes it any more.</param>
    public void Start(NodeWork work, Action<NodeResult> report, Action startOver, Func<NodeEmission, Action, bool> emit, CancellationToken cancellationToken)
    {
        work.Context.Stream = new AttemptStream(work.Context, emit);
        _ = Task.Run(() => RunAsync(work, report, startOver, cancellationToken), CancellationToken.None);
    }

    /// <summary>A run is not active any more.</summary>
    public void Forget(string runId) => secrets.Forget(runId);

    public void Dispose() => slots.Dispose();

    private async Task RunAsync(NodeWork work, Action<NodeResult> report, Action startOver, CancellationToken cancellationToken)
    {
        AmbientCall.Leave();
        using var scope = logger.BeginRun(work.Context.RunId, work.Context.Tenant, work.Context.Node.Id);
        try
        {
            var holdsSlot = !work.Handler.WaitsForOthers;
            if (holdsSlot)
                await slots.WaitAsync(cancellationToken);

            try
            {
                var outcome = await ExecuteAsync(work, cancellationToken);
                report(work.Context.Redactor.Redact(NodeResult.Of(work.Context, outcome)));
            }
            finally
            {
                if (holdsSlot)
                    slots.Release();
            }
        }
        catch (Exception exception) when (IsOurs(exception) && !cancellationToken.IsCancellationRequested)
        {
            Log.Interrupted(logger, work.Context.RunId, work.Context.Node.Id, work.Context.Redactor.Redact(exception.Message));
            await Task.Delay(StartOverPause, clock, CancellationToken.None);
            startOver();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            Log.Cancelled(logger, work.Context.RunId, work.Context.Node.Id);
        }
        catch (Exception exception)
        {
            // An attempt that nobody hears of would never end.
            LogCrash(work.Context, exception);
            report(NodeResult.Of(work.Context, CrashOf(exception)));
        }
    }

    /// <summary>What is no fault of the node, and passes: the activity ledger or another service cannot be asked.</summary>
    private static bool IsOurs(Exception exception) =>
        exception is RunMovedException or RpcException { StatusCode: StatusCode.Unavailable } || (exception is DbException or CommitOutcomeUnknownException && DatabaseErrors.IsTemporary(exception));

    private async Task<NodeOutcome> ExecuteAsync(NodeWork work, CancellationToken cancellationToken)
    {
        work.Context.Activities = activities.For(work.Context);
        work.Context.ChildRuns = childRuns;
        work.Context.MemoryStore = memory;
        var limit = work.Context.Node.Settings.TimeoutMs;
        using var timeout = limit > 0 ? new CancellationTokenSource(TimeSpan.FromMilliseconds(limit), clock) : new CancellationTokenSource();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        using var span = RunTelemetry.Enter(work.Context.RunId, work.Context.Trace, work.Context.Node.Id, work.Context.Iteration, work.Context.Attempt);
        try
        {
            return await secrets.OpenAsync(work.Context, linked.Token) is { } missing
                ? new NodeOutcome.Failed(missing)
                : await work.Handler.ExecuteAsync(work.Context, linked.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new NodeOutcome.Failed(new NodeError("node_timeout", $"The attempt took longer than {limit} ms.", Retryable: true));
        }
        catch (VersionOutOfRangeException unknown)
        {
            return new NodeOutcome.Failed(unknown.ToError(work.Context.RunId));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !IsOurs(exception))
        {
            LogCrash(work.Context, exception);
            return CrashOf(exception);
        }
    }

    private static NodeOutcome.Failed CrashOf(Exception exception) =>
        new(new NodeError("node_crashed", $"The node failed unexpectedly ({exception.GetType().Name}).", Retryable: true));

    /// <summary>Messages of exceptions repeat what they are about, such as the header that could not be sent.</summary>
    private void LogCrash(NodeContext context, Exception exception)
    {
        if (context.Redactor.IsEmpty)
            Log.Crashed(logger, exception, context.RunId, context.Node.Id);
        else
            Log.CrashedWithSecrets(logger, context.RunId, context.Node.Id, context.Redactor.Redact(exception.ToString()));
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "Run {RunId}: attempt of node {NodeId} cancelled")]
        public static partial void Cancelled(ILogger logger, string runId, string nodeId);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "Run {RunId}: attempt of node {NodeId} starts over ({Reason})")]
        public static partial void Interrupted(ILogger logger, string runId, string nodeId, string reason);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Run {RunId}: node {NodeId} crashed")]
        public static partial void Crashed(ILogger logger, Exception exception, string runId, string nodeId);

        [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Run {RunId}: node {NodeId} crashed: {Exception}")]
        public static partial void CrashedWithSecrets(ILogger logger, string runId, string nodeId, string exception);
    }
}
