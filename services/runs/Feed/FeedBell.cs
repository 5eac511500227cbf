using System.Collections.Concurrent;
using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Feed;

/// <summary>
/// Tells followers of the feed that a shard has something new, on the topic <c>feed/{shard}</c>. Appends that come close together ring
/// once: followers read pages, and the bus has enough to carry.
/// </summary>
internal sealed class FeedBell(IEventBus bus, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentDictionary<int, bool> news = new();
    private readonly SemaphoreSlim rung = new(0, 1);

    public static string TopicOf(int shard) => $"feed/{shard}";

    /// <summary>Called in commit order; does not wait.</summary>
    public void Committed(RunAppend append)
    {
        news[append.Lease.Shard] = true;
        try
        {
            rung.Release();
        }
        catch (SemaphoreFullException)
        {
            // Rung already.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await rung.WaitAsync(stoppingToken);
            for (var shard = 0; shard < ShardService.ShardCount; shard++)
            {
                if (news.TryRemove(shard, out _))
                    bus.Publish(new BusMessage(TopicOf(shard), clock.GetTimestamp(), ReadOnlyMemory<byte>.Empty));
            }

            // Of this process, whatever time the clock of runs shows: one that stands still must not silence the bell.
            await Task.Delay(Pause, TimeProvider.System, stoppingToken);
        }
    }

    public override void Dispose()
    {
        rung.Dispose();
        base.Dispose();
    }
}
