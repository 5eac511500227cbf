using OpenWop.Micro.Webhooks.Signing;
using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>Secrets of webhooks.</summary>
internal sealed partial class SubscriptionSecretRotation(SubscriptionStore store, SubscriptionSecrets secrets, ILogger<SubscriptionSecretRotation> logger) : SecretRotation<Subscription>
{
    protected override bool IsRotating => secrets.IsRotating;

    protected override Task<List<Subscription>> ListAsync(string after, int limit, CancellationToken cancellationToken) => store.ListAllAsync(after, limit, cancellationToken);

    protected override string IdOf(Subscription owner) => owner.Id;

    protected override async Task<bool> SealAgainAsync(Subscription owner, CancellationToken cancellationToken)
    {
        if (secrets.SealAgain(owner) is not { } again)
            return false;

        await store.SealAgainAsync(owner, again.Secret, again.Previous, cancellationToken);
        return true;
    }

    protected override void LogDone(int resealed, int unreadable) => Log.Done(logger, resealed, unreadable);

    protected override void LogFailed(Exception exception) => Log.Failed(logger, exception);

    private static partial class Log
    {
        [LoggerMessage(EventId = 5010, Level = LogLevel.Information, Message = "Secrets of {Resealed} webhooks were sealed with the new key, those of {Unreadable} cannot be opened.")]
        public static partial void Done(ILogger logger, int resealed, int unreadable);

        [LoggerMessage(EventId = 5011, Level = LogLevel.Warning, Message = "Secrets of webhooks could not be sealed with the new key; the next start tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
