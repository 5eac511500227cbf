using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Webhooks.Bodies;
using OpenWop.Micro.Webhooks.Inbound;
using OpenWop.Micro.Webhooks.Subscriptions;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Makes triggers, changes them, pauses and resumes them. A trigger sees what is committed after it was made, or resumed.</summary>
internal sealed class TriggerEditor(TriggerStore store, TargetWorkflows workflows, Feed.FeedClient feed, TriggerOptions options, TimeProvider time)
{
    /// <summary>Tries of a change while others change the same trigger.</summary>
    private const int MaxTries = 5;

    /// <param name="requestId">The same for every repetition of the request; null = it cannot be repeated.</param>
    /// <exception cref="ProtocolException">The body is not valid, the workflow does not exist, or there are too many.</exception>
    public async Task<Trigger> CreateAsync(
        SubscriptionOwner owner, string principal, ReadOnlyMemory<byte> utf8, string? requestId, CancellationToken cancellationToken)
    {
        var body = BodyMembers.Open(utf8);
        var spec = TriggerReader.Read(body);
        if (requestId is not null && await store.FindByRequestAsync(owner.Tenant, requestId, cancellationToken) is { } before)
            return before;

        await RequireWorkflowAsync(owner, spec, cancellationToken);
        var now = time.GetUtcNow();
        var trigger = new Trigger("trg-" + Guid.CreateVersion7(now).ToString("N"), owner, principal, BodyMembers.Keep(body, TriggerSpec.Members))
        {
            Positions = await HeadsAsync(cancellationToken),
            CreatedAt = now,
            UpdatedAt = now,
        };
        return await store.InsertAsync(trigger, requestId, options.MaxPerTenant, cancellationToken) switch
        {
            TriggerInsertion.Stored => trigger,
            TriggerInsertion.Full => throw new ProtocolException(TriggerErrors.LimitReached(options.MaxPerTenant)),
            _ => (await store.FindByRequestAsync(owner.Tenant, requestId!, cancellationToken))!,
        };
    }

    /// <summary>Changes the members that the body has; <c>null</c> takes one away.</summary>
    public async Task<Trigger> UpdateAsync(SubscriptionOwner owner, string id, ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken)
    {
        var body = BodyMembers.Open(utf8);
        for (var tries = 0; tries < MaxTries; tries++)
        {
            var before = await FindAsync(owner, id, cancellationToken);
            var after = new Trigger(id, owner, before.Principal, BodyMembers.Keep(body, TriggerSpec.Members, JsonElement.Parse(before.SpecJson)))
            {
                Status = before.Status,
                Positions = before.Positions,
                CreatedAt = before.CreatedAt,
                UpdatedAt = time.GetUtcNow(),
            };
            if (after.Spec.WorkflowId != before.Spec.WorkflowId)
                await RequireWorkflowAsync(owner, after.Spec, cancellationToken);

            if (await store.SetSpecAsync(before, after, cancellationToken))
                return after;
        }

        throw new ProtocolException(new ProtocolError(ErrorCodes.ServiceUnavailable, "The trigger is being changed by others; try again."));
    }

    public async Task<Trigger> SetPausedAsync(SubscriptionOwner owner, string id, bool isPaused, CancellationToken cancellationToken)
    {
        var before = await FindAsync(owner, id, cancellationToken);
        var status = isPaused ? SubscriptionStatus.Paused : SubscriptionStatus.Active;
        if (before.Status == status)
            return before;

        // What has happened during the pause starts nothing.
        var after = before with
        {
            Status = status,
            Positions = isPaused ? before.Positions : await HeadsAsync(cancellationToken),
            UpdatedAt = time.GetUtcNow(),
        };
        return await store.SetStatusAsync(after, cancellationToken) ? after : throw new ProtocolException(TriggerErrors.NotFound);
    }

    public async Task<Trigger> FindAsync(SubscriptionOwner owner, string id, CancellationToken cancellationToken) =>
        await store.FindAsync(owner, id, cancellationToken) ?? throw new ProtocolException(TriggerErrors.NotFound);

    private async Task<System.Collections.Immutable.ImmutableArray<long>> HeadsAsync(CancellationToken cancellationToken) =>
        [.. (await feed.GetHeadsAsync(new GetHeadsRequest(), cancellationToken: cancellationToken)).Positions];

    private async Task RequireWorkflowAsync(SubscriptionOwner owner, TriggerSpec spec, CancellationToken cancellationToken)
    {
        if (!await workflows.ExistsAsync(owner.Tenant, owner.IsTest, spec.WorkflowId, cancellationToken))
            throw new ProtocolException(TriggerErrors.NoWorkflow);
    }
}
