using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.Gateway.Audit;

/// <summary>
/// Carries audited calls to the audit log of identity, many at a time and beside the calls themselves: a call is answered before its
/// entry is durable. While identity cannot be reached entries wait in memory; when there is no more room they are lost, and the log
/// says how many as soon as it can be written again.
/// </summary>
internal sealed partial class AuditShipping(Contracts.Identity.V1.Audit.AuditClient identity, TimeProvider time, ILogger<AuditShipping> logger) : BackgroundService
{
    private const int Capacity = 50_000;
    private const int BatchSize = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Channel<AuditedCall> _calls = Channel.CreateBounded<AuditedCall>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly ConcurrentDictionary<string, long> _lost = new(StringComparer.Ordinal);

    public void Add(AuditedCall call)
    {
        if (_calls.Writer.TryWrite(call))
            return;

        if (_lost.AddOrUpdate(call.Tenant, 1, static (_, lost) => lost + 1) == 1)
            Log.Losing(logger, call.Tenant);
    }

    /// <summary>Sends what is left, then ends.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _calls.Writer.TryComplete();
        if (ExecuteTask is { } sending)
            await Task.WhenAny(sending, Task.Delay(Timeout.Infinite, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await _calls.Reader.WaitToReadAsync(stoppingToken))
                await SendAsync(NextBatch(), stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (_calls.Reader.Count > 0)
                Log.Abandoned(logger, _calls.Reader.Count);
        }
    }

    private AppendAuditRequest NextBatch()
    {
        var batch = new AppendAuditRequest { BatchId = Guid.NewGuid().ToString("N") };
        foreach (var tenant in _lost.Keys)
        {
            if (_lost.TryRemove(tenant, out var lost))
                batch.Calls.Add(new AuditedCall { Tenant = tenant, Lost = lost, At = time.GetUtcNow().ToUnixTimeMilliseconds() });
        }

        while (batch.Calls.Count < BatchSize && _calls.Reader.TryRead(out var call))
            batch.Calls.Add(call);
        return batch;
    }

    private async Task SendAsync(AppendAuditRequest batch, CancellationToken stoppingToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await identity.AppendAsync(batch, deadline: DateTime.UtcNow + Patience, cancellationToken: stoppingToken);
                return;
            }
            catch (RpcException exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (pause == FirstPause)
                    Log.NotSent(logger, batch.Calls.Count, exception.StatusCode);
                await Task.Delay(pause, time, stoppingToken);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The audit log cannot be written fast enough; entries of tenant {Tenant} are lost")]
        public static partial void Losing(ILogger logger, string tenant);

        [LoggerMessage(2, LogLevel.Warning, "{Count} entries of the audit log could not be sent ({Status}) and are sent again")]
        public static partial void NotSent(ILogger logger, int count, StatusCode status);

        [LoggerMessage(3, LogLevel.Error, "{Count} entries of the audit log were not sent before the end")]
        public static partial void Abandoned(ILogger logger, int count);
    }
}
