using OpenWop.Micro.Scheduler.Store;

namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>Keeps the history bounded. With several instances each sweeps; what one has deleted the others do not find.</summary>
internal sealed partial class HistorySweeper(FireStore fires, TimeProvider time, ILogger<HistorySweeper> logger) : BackgroundService
{
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

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
            while (await fires.ForgetAsync(time.GetUtcNow() - Retention, Piece, stoppingToken) == Piece)
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
        [LoggerMessage(EventId = 3201, Level = LogLevel.Warning, Message = "The history of schedules could not be swept.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
