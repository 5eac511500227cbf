using System.Text;

namespace OpenWop.Micro.Identity.Tokens;

/// <summary>
/// The key that this instance signs with. A key is used for a month; its public half stays published for an hour after its successor has taken over,
/// far longer than a token lives. Verifiers learn of a new key when they meet its first token.
/// </summary>
internal sealed partial class SigningKeys(SigningKeyStore store, TimeProvider time, ILogger<SigningKeys> logger) : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(30);

    private volatile SigningKey? _current;

    public SigningKey Current => _current ?? throw new InvalidOperationException("The host has not started.");

    /// <summary>The JSON Web Key Set of all instances, UTF-8.</summary>
    public async Task<byte[]> PublishAsync(CancellationToken cancellationToken) =>
        Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', await store.ListPublicAsync(cancellationToken))}}]}""");

    public Task StartingAsync(CancellationToken cancellationToken) => RenewAsync(cancellationToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal async Task RenewAsync(CancellationToken cancellationToken)
    {
        var key = await store.CurrentAsync(time.GetUtcNow(), MaxAge, Retention, cancellationToken);
        if (_current?.KeyId == key.KeyId)
        {
            key.Dispose();
            return;
        }

        // The former key is left to the garbage collector: a call may be signing with it.
        _current = key;
        Log.SigningWith(logger, key.KeyId);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await RenewAsync(stoppingToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    Log.NotRenewed(logger, exception);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3101, Level = LogLevel.Information, Message = "Internal tokens are signed with key {KeyId}.")]
        public static partial void SigningWith(ILogger logger, string keyId);

        [LoggerMessage(EventId = 3102, Level = LogLevel.Error, Message = "The signing key could not be checked; the present one stays in use.")]
        public static partial void NotRenewed(ILogger logger, Exception exception);
    }
}
