using System.Security.Cryptography;

namespace OpenWop.Micro.Webhooks.Signing;

/// <summary>
/// Seals secrets again that were sealed with a former key, once after each start with more than one key. What is sealed again stays so
/// when the process dies in the middle, and several instances may do it at once.
/// </summary>
/// <typeparam name="T">What has the secrets.</typeparam>
internal abstract class SecretRotation<T> : BackgroundService
{
    private const int PageSize = 100;

    /// <summary>Whether there is a former key.</summary>
    protected abstract bool IsRotating { get; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!IsRotating)
            return;

        try
        {
            var (resealed, unreadable) = await RunAsync(stoppingToken);
            LogDone(resealed, unreadable);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(exception);
        }
    }

    /// <summary>Those of all tenants whose ids follow one, by id.</summary>
    protected abstract Task<List<T>> ListAsync(string after, int limit, CancellationToken cancellationToken);

    protected abstract string IdOf(T owner);

    /// <summary>False when the present key has sealed its secrets.</summary>
    /// <exception cref="CryptographicException">No key that is known opens them.</exception>
    protected abstract Task<bool> SealAgainAsync(T owner, CancellationToken cancellationToken);

    protected abstract void LogDone(int resealed, int unreadable);

    protected abstract void LogFailed(Exception exception);

    private async Task<(int Resealed, int Unreadable)> RunAsync(CancellationToken cancellationToken)
    {
        var (resealed, unreadable) = (0, 0);
        for (var after = ""; ;)
        {
            var page = await ListAsync(after, PageSize, cancellationToken);
            foreach (var owner in page)
            {
                try
                {
                    if (await SealAgainAsync(owner, cancellationToken))
                        resealed++;
                }
                catch (CryptographicException)
                {
                    unreadable++;
                }
            }

            if (page.Count < PageSize)
                return (resealed, unreadable);

            after = IdOf(page[^1]);
        }
    }
}
