using System.Security.Cryptography;
using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>Seals secrets again that were sealed with a former key, once after each start with more than one key.</summary>
internal sealed partial class SubscriptionSecretRotation(SubscriptionStore store, SubscriptionSecrets secrets, ILogger<SubscriptionSecretRotation> logger) : BackgroundService
{
    private const int PageSize = 100;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!secrets.IsRotating)
            return;

        try
        {
            var (resealed, unreadable) = await RunAsync(stoppingToken);
            Log.Done(logger, resealed, unreadable);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            Log.Failed(logger, exception);
        }
    }

    private async Task<(int Resealed, int Unreadable)> RunAsync(CancellationToken cancellationToken)
    {
        var (resealed, unreadable) = (0, 0);
        for (var after = ""; ;)
        {
            var page = await store.ListAllAsync(after, PageSize, cancellationToken);
            foreach (var subscription in page)
            {
                try
                {
                    if (secrets.SealAgain(subscription) is not { } again)
                        continue;

                    await store.SealAgainAsync(subscription, again.Secret, again.Previous, cancellationToken);
                    resealed++;
                }
                catch (CryptographicException)
                {
                    unreadable++;
                }
            }

            if (page.Count < PageSize)
                return (resealed, unreadable);

            after = page[^1].Id;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5010, Level = LogLevel.Information, Message = "Secrets of {Resealed} webhooks were sealed with the new key, those of {Unreadable} cannot be opened.")]
        public static partial void Done(ILogger logger, int resealed, int unreadable);

        [LoggerMessage(EventId = 5011, Level = LogLevel.Warning, Message = "Secrets of webhooks could not be sealed with the new key; the next start tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
