namespace OpenWop.Micro.Identity.Idempotency;

/// <summary>Keeps the number of records bounded. With several instances each sweeps; what one has deleted the others do not find.</summary>
internal sealed partial class RecordSweeper(RequestRecords records, TimeProvider time, ILogger<RecordSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await records.SweepAsync(RequestRecords.MaxPerTenant, stoppingToken) is > 0 and var removed)
                    Log.Swept(logger, removed);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next round comes soon, and until then nothing is wrong but a larger table.
                Log.Failed(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "Removed {Count} idempotency records.")]
        public static partial void Swept(ILogger logger, long count);

        [LoggerMessage(2, LogLevel.Warning, "Idempotency records could not be swept.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
