using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Shards;

namespace OpenWop.Micro.Runs.Signals;

/// <summary>
/// Brings signals to the mailboxes of the runs that they are for. The table is the truth; this is how it is read in time:
/// <list type="number">
/// <item>after the sender's commit, at once, when the receiver's shard is ours;</item>
/// <item>otherwise its owner is told over the bus and reads the table;</item>
/// <item>the owner of a shard reads the table when it takes over, and with each refill of due times, for what got lost on the way.</item>
/// </list>
/// </summary>
internal sealed partial class SignalDelivery(OwnedShards shards, Func<RunRegistry> registry, SignalStore store, IEventBus bus, ILogger<SignalDelivery> logger)
    : BackgroundService
{
    /// <summary>What the topics of all shards begin with.</summary>
    public const string TopicPrefix = "signals/";

    private const int PageSize = 500;

    /// <summary>1. and 2. Called in commit order; does not wait.</summary>
    public void Committed(IReadOnlyList<RunSignal> sent)
    {
        foreach (var signal in sent)
        {
            if (shards.LeaseOf(signal.Target) is not null)
                registry().Deliver(signal);
            else
                bus.Publish(new BusMessage(TopicOf(RunIds.ShardOf(signal.Target)!.Value), signal.SourceSequence, ReadOnlyMemory<byte>.Empty));
        }
    }

    /// <summary>3. Delivers what waits for the runs of a shard.</summary>
    public async Task DeliverAsync(int shard, CancellationToken cancellationToken)
    {
        RunSignal? last = null;
        do
        {
            var page = await store.OfShardAsync(shard, last, PageSize, cancellationToken);
            foreach (var signal in page)
                await registry().DeliverAsync(signal);

            last = page.Count == PageSize ? page[^1] : null;
        }
        while (last is not null);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await bus.SubscribeAsync(
            [.. Enumerable.Range(0, ShardService.ShardCount).Select(TopicOf)], IEventBus.DefaultCapacity, stoppingToken);
        await foreach (var message in subscription.ReadAllAsync(stoppingToken))
        {
            IEnumerable<int> told = message.IsGap ? shards.All : [int.Parse(message.Topic.AsSpan(TopicPrefix.Length), provider: null)];
            foreach (var shard in told.Intersect(shards.All))
                await TryDeliverAsync(shard, stoppingToken);
        }
    }

    private async Task TryDeliverAsync(int shard, CancellationToken cancellationToken)
    {
        try
        {
            await DeliverAsync(shard, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            Log.DeliveryFailed(logger, exception, shard);
        }
    }

    private static string TopicOf(int shard) => $"{TopicPrefix}{shard}";

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Shard {Shard}: signals could not be read; they are with the next refill")]
        public static partial void DeliveryFailed(ILogger logger, Exception exception, int shard);
    }
}
