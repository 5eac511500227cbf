using System.Collections.Concurrent;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Nodes;
using OpenWop.Micro.Runs.Secrets;
using OpenWop.Micro.Runs.Shards;

namespace OpenWop.Micro.Runs.Activities;

/// <summary>
/// Performs outside effects so that each happens once, as far as that is possible (spec/http-core.md 6.2):
/// <list type="number">
/// <item>In this process an effect runs at most once at a time; who comes second waits for the first.</item>
/// <item>The claim is durable before the effect begins. A claim with a result is answered from the store, without the effect.</item>
/// <item>A claim without a result is taken over and the effect performed again under the same identity: the process that
/// claimed it is gone, or its attempt ended without a result. This is where an effect may happen twice, and why the provider
/// gets the identity as its idempotency key.</item>
/// <item>A settled result, failures included, is durable before anybody sees it. Another result leaves the claim for the
/// next attempt.</item>
/// <item>Claim and result are written under the epoch of the run's shard. A process that was frozen and wakes up late cannot
/// write either of them.</item>
/// </list>
/// Results larger than <see cref="ActivityRecord.MaxBytes"/> are handed on but not kept; asked again, the activity fails
/// instead of repeating its effect.
/// </summary>
internal sealed class ActivityLedger(ActivityStore store, OwnedShards shards)
{
    private readonly ConcurrentDictionary<string, Task> running = new(StringComparer.Ordinal);

    /// <summary>The ledger of one attempt; it counts the attempt's calls.</summary>
    public IActivityLedger For(NodeContext context) => new Attempt(this, context);

    private async Task<ActivityResult> RunOnceAsync(
        string identity,
        NodeContext context,
        Func<string, CancellationToken, Task<ActivityResult>> effect,
        CancellationToken cancellationToken)
    {
        // 1. Alone in this process.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (running.GetOrAdd(identity, done.Task) is var first && first != done.Task)
        {
            await first.WaitAsync(cancellationToken);
        }

        try
        {
            // 2. and 3.
            var lease = shards.LeaseOf(context.RunId) ?? throw new RunMovedException();
            if (await store.ClaimAsync(identity, context.Node.Id, lease, cancellationToken) is { } known)
            {
                return ActivityRecord.Decode(known);
            }

            var result = context.Redactor.Redact(await effect(identity, cancellationToken));

            // 4. The effect has happened: no cancellation from here on.
            if (result.Settled)
            {
                await store.SettleAsync(identity, context.Node.Id, lease, ActivityRecord.Encode(result));
            }

            return result;
        }
        finally
        {
            running.TryRemove(identity, out _);
            done.SetResult();
        }
    }

    private sealed class Attempt(ActivityLedger ledger, NodeContext context) : IActivityLedger
    {
        private int calls = -1;

        public Task<ActivityResult> RunOnceAsync(
            string providerKey,
            Func<string, CancellationToken, Task<ActivityResult>> effect,
            CancellationToken cancellationToken)
        {
            var ordinal = ActivityIdentity.Ordinal(context.Iteration, Interlocked.Increment(ref calls));
            var identity = ActivityIdentity.Of(context.Tenant, context.RunId, context.Node.Id, ordinal, providerKey);
            return ledger.RunOnceAsync(identity, context, effect, cancellationToken);
        }
    }
}
