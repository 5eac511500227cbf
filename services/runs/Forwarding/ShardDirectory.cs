using System.Collections.Concurrent;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Forwarding;

/// <summary>
/// Which instance owns a shard that is not ours. What was found is believed until it proves wrong; any number of callers who ask about one
/// shard share one look into the database.
/// </summary>
internal sealed class ShardDirectory(Database database, TimeProvider clock)
{
    private readonly ConcurrentDictionary<int, ShardOwner> known = new();
    private readonly ConcurrentDictionary<int, Lazy<Task<ShardOwner?>>> looking = new();

    /// <summary>The owner, or null while nobody owns the shard.</summary>
    public async Task<ShardOwner?> FindAsync(int shard, CancellationToken cancellationToken)
    {
        if (known.TryGetValue(shard, out var owner))
            return owner;

        var look = looking.GetOrAdd(shard, _ => new Lazy<Task<ShardOwner?>>(() => LookAsync(shard)));
        return await look.Value.WaitAsync(cancellationToken);
    }

    /// <summary>Some shard's owner, for work that any owner can do; null while there is none.</summary>
    public async Task<ShardOwner?> FindAnyAsync(CancellationToken cancellationToken)
    {
        var first = Random.Shared.Next(ShardService.ShardCount);
        for (var i = 0; i < ShardService.ShardCount; i++)
        {
            if (await FindAsync((first + i) % ShardService.ShardCount, cancellationToken) is { } owner)
                return owner;
        }

        return null;
    }

    /// <summary>An owner has proved wrong: the next question goes to the database.</summary>
    public void Forget(ShardOwner owner)
    {
        foreach (var entry in known.Where(entry => entry.Value == owner || entry.Value.Address == owner.Address).ToList())
            known.TryRemove(entry);
    }

    private async Task<ShardOwner?> LookAsync(int shard)
    {
        try
        {
            // For all who wait for it, so that none of them can cancel it.
            var owner = await ShardLeases.FindOwnerAsync(database, shard, clock, CancellationToken.None);
            if (owner is not null)
                known[shard] = owner;

            return owner;
        }
        finally
        {
            looking.TryRemove(shard, out _);
        }
    }
}
