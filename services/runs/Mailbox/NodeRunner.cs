using OpenWop.Micro.Grpc;
using OpenWop.Micro.Runs.Activities;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>Executes attempts with outside effects, a bounded number at a time.</summary>
internal sealed partial class NodeRunner(ActivityLedger activities, IChildRuns childRuns, TimeProvider clock, ILogger<NodeRunner> logger) : IDisposable
{
    /// <summary>Attempts executed at the same time on one instance; more wait for their turn.</summary>
    public const int MaxConcurrency = 256;

    private readonly SemaphoreSlim slots = new(MaxConcurrency);

    /// <summary>
    /// Starts an attempt and reports its result once, unless <paramref name="cancellationToken"/> is cancelled: a cancelled
    /// attempt has no result, whoever cancelled it knows why.
    /// </summary>
    public void Start(NodeWork work, Action<NodeResult> report, CancellationToken cancellationToken) =>
        _ = Task.Run(() => RunAsync(work, report, cancellationToken), CancellationToken.None);

    public void Dispose() => slots.Dispose();

    private async Task RunAsync(NodeWork work, Action<NodeResult> report, CancellationToken cancellationToken)
    {
        AmbientCall.Leave();
        try
        {
            await slots.WaitAsync(cancellationToken);
            try
            {
                var outcome = await ExecuteAsync(work, cancellationToken);
                report(NodeResult.Of(work.Context, outcome));
            }
            finally
            {
                slots.Release();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Log.Cancelled(logger, work.Context.RunId, work.Context.Node.Id);
        }
    }

    private async Task<NodeOutcome> ExecuteAsync(NodeWork work, CancellationToken cancellationToken)
    {
        work.Context.Activities = activities.For(work.Context);
        work.Context.ChildRuns = childRuns;
        var limit = work.Context.Node.Settings.TimeoutMs;
        using var timeout = limit > 0 ? new CancellationTokenSource(TimeSpan.FromMilliseconds(limit), clock) : new CancellationTokenSource();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await work.Handler.ExecuteAsync(work.Context, linked.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new NodeOutcome.Failed(new NodeError("node_timeout", $"The attempt took longer than {limit} ms.", Retryable: true));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Crashed(logger, exception, work.Context.RunId, work.Context.Node.Id);
            return new NodeOutcome.Failed(new NodeError("node_crashed", $"The node failed unexpectedly ({exception.GetType().Name}).", Retryable: true));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Debug, Message = "Run {RunId}: attempt of node {NodeId} cancelled")]
        public static partial void Cancelled(ILogger logger, string runId, string nodeId);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Run {RunId}: node {NodeId} crashed")]
        public static partial void Crashed(ILogger logger, Exception exception, string runId, string nodeId);
    }
}
