using OpenWop.Micro.Webhooks.Inbound.Store;
using OpenWop.Micro.Webhooks.Signing;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Secrets of inbound webhooks.</summary>
internal sealed partial class InboundSecretRotation(InboundStore store, InboundSecrets secrets, ILogger<InboundSecretRotation> logger) : SecretRotation<InboundWebhook>
{
    protected override bool IsRotating => secrets.IsRotating;

    protected override Task<List<InboundWebhook>> ListAsync(string after, int limit, CancellationToken cancellationToken) => store.ListAllAsync(after, limit, cancellationToken);

    protected override string IdOf(InboundWebhook owner) => owner.Id;

    protected override async Task<bool> SealAgainAsync(InboundWebhook owner, CancellationToken cancellationToken)
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
        [LoggerMessage(EventId = 5210, Level = LogLevel.Information, Message = "Secrets of {Resealed} inbound webhooks were sealed with the new key, those of {Unreadable} cannot be opened.")]
        public static partial void Done(ILogger logger, int resealed, int unreadable);

        [LoggerMessage(EventId = 5211, Level = LogLevel.Warning, Message = "Secrets of inbound webhooks could not be sealed with the new key; the next start tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
