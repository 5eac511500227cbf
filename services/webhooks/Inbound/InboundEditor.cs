using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Webhooks.Bodies;
using OpenWop.Micro.Webhooks.Inbound.Store;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>A webhook and the secret that it was just given.</summary>
internal readonly record struct NewSecret(InboundWebhook Webhook, string Secret);

/// <summary>
/// Makes webhooks, changes them and gives them secrets. Answers with secrets are kept nowhere, so a request that comes again finds here
/// what it has made.
/// </summary>
internal sealed class InboundEditor(
    InboundStore store, InboundSecrets secrets, TargetWorkflows workflows, InboundOptions options, TimeProvider time)
{
    private const int TokenBytes = 24;

    /// <summary>Tries of a change while others change the same webhook.</summary>
    private const int MaxTries = 5;

    /// <param name="requestId">The same for every repetition of the request; null = it cannot be repeated.</param>
    /// <exception cref="ProtocolException">The body is not valid, the workflow does not exist, the path is taken, or there are too many.</exception>
    public async Task<NewSecret> CreateAsync(
        InboundOwner owner, string principal, ReadOnlyMemory<byte> utf8, string? requestId, CancellationToken cancellationToken)
    {
        var body = BodyMembers.Open(utf8);
        var spec = InboundReader.Read(body);
        var secret = InboundReader.ReadSecret(body) ?? InboundSecrets.Create();
        if (await RepeatedAsync(owner, requestId, cancellationToken) is { } before)
            return before;

        await RequireWorkflowAsync(owner, spec, cancellationToken);
        var id = "whk-" + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var webhook = new InboundWebhook(id, owner, token, principal, BodyMembers.Keep(body, InboundSpec.Members))
        {
            Secret = secrets.Seal(owner, id, secret),
            CreatedAt = time.GetUtcNow(),
        };
        return await store.InsertAsync(webhook, requestId, options.MaxPerTenant, cancellationToken) switch
        {
            InboundStoreOutcome.Stored => new NewSecret(webhook, secret),
            InboundStoreOutcome.Full => throw new ProtocolException(InboundErrors.LimitReached(options.MaxPerTenant)),
            _ => await RepeatedAsync(owner, requestId, cancellationToken) ?? throw new ProtocolException(InboundErrors.Taken),
        };
    }

    /// <summary>Changes the members that the body has; <c>null</c> takes one away. Secrets are rotated instead.</summary>
    /// <exception cref="ProtocolException">There is no such webhook or workflow, the outcome is not valid, or the path is taken.</exception>
    public async Task<InboundWebhook> UpdateAsync(InboundOwner owner, string id, ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken)
    {
        var body = BodyMembers.Open(utf8);
        if (body.TryGetProperty("secret", out _))
            throw BodyMembers.Wrong("A secret is not changed but rotated.", "secret");

        for (var tries = 0; tries < MaxTries; tries++)
        {
            var before = await store.FindAsync(owner, id, cancellationToken) ?? throw new ProtocolException(InboundErrors.NotFound);
            var after = before.WithSpec(BodyMembers.Keep(body, InboundSpec.Members, JsonElement.Parse(before.SpecJson)));
            if (after.Spec.WorkflowId != before.Spec.WorkflowId)
                await RequireWorkflowAsync(owner, after.Spec, cancellationToken);

            if (await store.SetSpecAsync(before, after, cancellationToken))
                return after;
        }

        // Nobody changes a webhook that often: another one has the path.
        throw new ProtocolException(InboundErrors.Taken);
    }

    /// <summary>A new secret, the caller's or one that is made; the one before stays good for a while.</summary>
    /// <param name="utf8">May be empty.</param>
    /// <param name="requestId">The same for every repetition of the request; null = it cannot be repeated.</param>
    public async Task<NewSecret> RotateAsync(
        InboundOwner owner, string id, ReadOnlyMemory<byte> utf8, string? requestId, CancellationToken cancellationToken)
    {
        var body = utf8.IsEmpty ? default : BodyMembers.Open(utf8);
        var secret = InboundReader.ReadSecret(body) ?? InboundSecrets.Create();
        var until = time.GetUtcNow() + InboundReader.ReadOverlap(body);
        var webhook = await store.SetSecretAsync(owner, id, secrets.Seal(owner, id, secret), until, requestId, cancellationToken)
            ?? throw new ProtocolException(InboundErrors.NotFound);
        return new NewSecret(webhook, secrets.Current(webhook));
    }

    private async Task RequireWorkflowAsync(InboundOwner owner, InboundSpec spec, CancellationToken cancellationToken)
    {
        if (!await workflows.ExistsAsync(owner.Tenant, owner.IsTest, spec.WorkflowId, cancellationToken))
            throw new ProtocolException(InboundErrors.NoWorkflow);
    }

    private async Task<NewSecret?> RepeatedAsync(InboundOwner owner, string? requestId, CancellationToken cancellationToken) =>
        requestId is not null && await store.FindByRequestAsync(owner.Tenant, requestId, cancellationToken) is { } webhook
            ? new NewSecret(webhook, secrets.Current(webhook))
            : null;
}
