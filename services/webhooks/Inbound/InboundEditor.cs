using System.Security.Cryptography;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Webhooks.Inbound.Store;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>A webhook and the secret that it was just given.</summary>
internal readonly record struct NewSecret(InboundWebhook Webhook, string Secret);

/// <summary>Makes webhooks and gives them secrets.</summary>
internal sealed class InboundEditor(
    InboundStore store, InboundSecrets secrets, TargetWorkflows workflows, InboundOptions options, TimeProvider time)
{
    private const int TokenBytes = 24;

    /// <exception cref="ProtocolException">The body is not valid, the workflow does not exist, the path is taken, or there are too many.</exception>
    public async Task<NewSecret> CreateAsync(InboundOwner owner, string principal, ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken)
    {
        var body = InboundReader.Open(utf8);
        var spec = InboundReader.Read(body);
        var secret = InboundReader.ReadSecret(body) ?? InboundSecrets.Create();
        if (!await workflows.ExistsAsync(owner, spec.WorkflowId, cancellationToken))
            throw new ProtocolException(InboundErrors.NoWorkflow);

        var id = "whk-" + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var webhook = new InboundWebhook(id, owner, token, principal, InboundReader.Keep(body))
        {
            Secret = secrets.Seal(owner, id, secret),
            CreatedAt = time.GetUtcNow(),
        };
        return await store.InsertAsync(webhook, options.MaxPerTenant, cancellationToken) switch
        {
            InboundStoreOutcome.Stored => new NewSecret(webhook, secret),
            InboundStoreOutcome.Full => throw new ProtocolException(InboundErrors.LimitReached(options.MaxPerTenant)),
            _ => throw new ProtocolException(InboundErrors.Taken),
        };
    }

    /// <summary>A new secret, the caller's or one that is made; the one before stays good for a while.</summary>
    /// <param name="utf8">May be empty.</param>
    public async Task<NewSecret> RotateAsync(InboundOwner owner, string id, ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken)
    {
        var body = utf8.IsEmpty ? default : InboundReader.Open(utf8);
        var secret = InboundReader.ReadSecret(body) ?? InboundSecrets.Create();
        var until = time.GetUtcNow() + InboundReader.ReadOverlap(body);
        var webhook = await store.SetSecretAsync(owner, id, secrets.Seal(owner, id, secret), until, cancellationToken)
            ?? throw new ProtocolException(InboundErrors.NotFound);
        return new NewSecret(webhook, secret);
    }
}
