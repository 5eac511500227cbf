using System.Security.Cryptography;
using OpenWop.Micro.Secrets;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>Seals secrets again that were sealed with a former key, once after each start with more than one key.</summary>
internal sealed partial class SecretRotation(SecretStore store, SecretSeal seal, SealingKeys keys, ILogger<SecretRotation> logger) : BackgroundService
{
    private const int PageSize = 100;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!keys.IsRotating)
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

    /// <summary>How many were sealed again, and how many have a key that is gone.</summary>
    internal async Task<(int Resealed, int Unreadable)> RunAsync(CancellationToken cancellationToken)
    {
        var (resealed, unreadable) = (0, 0);
        for (StoredSecret? after = null; ;)
        {
            var page = await store.PageAsync(after, PageSize, cancellationToken);
            var changed = new List<StoredSecret>();
            foreach (var secret in page.Where(secret => !SecretSeal.KeyIdOf(secret.Sealed).Span.SequenceEqual(keys.CurrentId.Span)))
            {
                try
                {
                    changed.Add(secret with { Sealed = seal.SealAgain(secret.Sealed, secret.Owner.Binding(secret.Id)) });
                }
                catch (CryptographicException)
                {
                    unreadable++;
                }
            }

            if (changed.Count > 0)
                await store.ResealAsync(changed, cancellationToken);
            resealed += changed.Count;
            if (page.Count < PageSize)
                return (resealed, unreadable);

            after = page[^1];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3110, Level = LogLevel.Information, Message = "{Resealed} secrets were sealed with the new key, {Unreadable} cannot be opened")]
        public static partial void Done(ILogger logger, int resealed, int unreadable);

        [LoggerMessage(EventId = 3111, Level = LogLevel.Warning, Message = "Secrets could not be sealed with the new key; the next start tries again")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
