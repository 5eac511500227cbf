using OpenWop.Micro.Webhooks.Inbound.Store;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Forgets old delivery ids. With several instances each sweeps; what one has deleted the others do not find.</summary>
internal sealed partial class DeliverySweeper(InboundStore store, InboundOptions options, TimeProvider time, ILogger<DeliverySweeper> logger) : BackgroundService
{
    private const int Piece = 5000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await SweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await store.ForgetAsync(time.GetUtcNow() - options.Retention, Piece, stoppingToken) == Piece)
            {
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The next round comes soon, and until then nothing is wrong but a larger table.
            Log.Failed(logger, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5201, Level = LogLevel.Warning, Message = "Old delivery ids of inbound webhooks could not be swept.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
