using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Keeps the history of triggers bounded. With several instances each sweeps; what one has deleted the others do not find.</summary>
internal sealed partial class HistorySweeper(FiringStore firings, TriggerOptions options, TimeProvider time, ILogger<HistorySweeper> logger) : BackgroundService
{
    private const int Piece = 5000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await firings.ForgetAsync(time.GetUtcNow() - options.Retention, Piece, stoppingToken) == Piece)
                {
                }
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
        [LoggerMessage(EventId = 5311, Level = LogLevel.Warning, Message = "The history of triggers could not be swept.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
