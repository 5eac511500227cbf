using System.Collections.Concurrent;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>Remembers when keys were used and writes it down every few seconds: verifying a key must not cost a commit.</summary>
internal sealed partial class KeyUse(KeyStore store, TimeProvider time, ILogger<KeyUse> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private ConcurrentDictionary<string, long> _uses = new(StringComparer.Ordinal);

    public void Used(string keyId, long at) => _uses[keyId] = at;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync(cancellationToken);
    }

    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_uses.IsEmpty)
            return;

        var uses = Interlocked.Exchange(ref _uses, new ConcurrentDictionary<string, long>(StringComparer.Ordinal));
        try
        {
            await store.TouchAsync([.. uses], cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The next use of the key tells again.
            Log.NotWritten(logger, uses.Count, exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await FlushAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "The last use of {Count} keys could not be written.")]
        public static partial void NotWritten(ILogger logger, int count, Exception exception);
    }
}
