using System.Collections.Concurrent;
using System.Security.Cryptography;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>Keeps the books of one receiver: what has arrived, whether it was signed, in order, and the same when it came again.</summary>
internal sealed class HookLedger
{
    private readonly ConcurrentDictionary<string, RunEntry> _runs = new(StringComparer.Ordinal);
    private int _events;
    private int _repetitions;

    /// <summary>What the receiver's deliveries are signed with.</summary>
    public string Secret { get; set; } = "";

    /// <summary>Events that were taken, each counted once.</summary>
    public int Events => Volatile.Read(ref _events);

    /// <summary>Deliveries of events that had been taken before.</summary>
    public int Repetitions => Volatile.Read(ref _repetitions);

    public IReadOnlyCollection<string> Runs => [.. _runs.Keys];

    /// <summary>What must not happen.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <param name="isTaken">Whether it is answered with success.</param>
    public void Add(HookDelivery delivery, bool isTaken)
    {
        if (!delivery.IsSignedWith(Secret))
            Violations.Enqueue($"{delivery.Id} is not signed");

        var (sequence, digest) = (delivery.Sequence, Convert.ToHexString(SHA256.HashData(delivery.Body)));
        var run = _runs.GetOrAdd(delivery.RunId, static _ => new RunEntry());
        lock (run)
        {
            if (run.Identities.TryGetValue(sequence, out var before) && before != (delivery.Id, digest))
                Violations.Enqueue($"{delivery.RunId} {sequence} came as {before.Id} and as {delivery.Id}");

            run.Identities[sequence] = (delivery.Id, digest);
            if (!isTaken)
                return;

            if (!run.Taken.Add(sequence))
            {
                Interlocked.Increment(ref _repetitions);
                return;
            }

            if (sequence < run.Last)
                Violations.Enqueue($"{delivery.RunId} {sequence} came after {run.Last}");

            run.Last = sequence;
            Interlocked.Increment(ref _events);
        }
    }

    private sealed class RunEntry
    {
        public Dictionary<long, (string Id, string Digest)> Identities { get; } = [];

        public HashSet<long> Taken { get; } = [];

        public long Last { get; set; } = -1;
    }
}
