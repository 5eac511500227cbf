namespace OpenWop.Micro.Storage;

/// <summary>How one instance takes part in sharing the shards.</summary>
public sealed record ShardLeaseOptions
{
    /// <summary>Shards are numbered from 0 to this, exclusive. Never shrinks during the life of a database.</summary>
    public required int ShardCount { get; init; }

    /// <summary>Names this process and no other, not even its own restart: a host name plus something random.</summary>
    public required string Owner { get; init; }

    /// <summary>Where other instances reach the owner of a shard.</summary>
    public required string Address { get; init; }

    /// <summary>How long a lease outlives its last heartbeat: the time for which the shards of a crashed instance stand still.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two heartbeats; null = a quarter of <see cref="Duration"/>.</summary>
    public TimeSpan? Heartbeat { get; init; }

    /// <summary>
    /// This process is the only one that can use the database (<see cref="DatabaseOptions.Exclusive"/>), so leases found at the
    /// start belong to the dead and all shards are taken at once instead of after <see cref="Duration"/>.
    /// </summary>
    public bool Exclusive { get; init; }
}

/// <summary>A shard held by this instance. The epoch grows with every change of owner and fences writes.</summary>
public readonly record struct ShardLease(int Shard, long Epoch);

/// <summary>The instance that holds a shard.</summary>
public sealed record ShardOwner(string Owner, string Address, long Epoch);

/// <summary>What the holder of the leases does when they come and go.</summary>
public sealed record ShardLeaseHandlers
{
    /// <summary>A round is through: the leases hold for their time, the clock has been read. Comes before the round's other news.</summary>
    public Action<ShardLeases> Confirmed { get; init; } = static _ => { };

    /// <summary>
    /// This instance owns the shard from now on. Comes again, with the same epoch, when the lease was not confirmed for a while and nobody
    /// else has taken it. Must return quickly (heartbeats wait): start the work elsewhere.
    /// </summary>
    public required Action<ShardLease> Acquired { get; init; }

    /// <summary>
    /// The shard is to be given to another instance, to balance or to shut down. It is still held while this runs: finish and
    /// commit what is in hand, start nothing new, return. It is free for others afterwards.
    /// </summary>
    public required Func<ShardLease, Task> Releasing { get; init; }

    /// <summary>The shard is free for others now. Must return quickly.</summary>
    public Action<ShardLease> Released { get; init; } = static _ => { };

    /// <summary>The lease ran out or was taken over; every write with its epoch is refused from now on. Must return quickly.</summary>
    public required Action<ShardLease> Lost { get; init; }
}
