using System.Collections.Concurrent;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.RateLimits;

/// <summary>
/// Admits calls by key, by tenant, and by operation of a tenant (spec/http-core.md 11): a call needs a token of each bucket, and one that
/// is refused takes none. Buckets live in this gateway: an installation with several gateways admits the limits once per gateway.
/// </summary>
internal sealed class RateLimiter(RateLimitOptions options, TimeProvider time)
{
    /// <summary>Above this number, buckets that have filled up again are dropped: they are equal to new ones.</summary>
    private const int MaxBuckets = 100_000;
    private const int ForcedWaitMs = 1000;

    private readonly ConcurrentDictionary<BucketId, TokenBucket> _buckets = new();
    private long _nextSweep;

    /// <summary>What a bucket counts.</summary>
    private enum Scope
    {
        Key,
        Tenant,
        Route,
    }

    /// <summary>Number of buckets in memory.</summary>
    internal int Buckets => _buckets.Count;

    /// <summary>Takes one call from the allowances of its key, tenant and operation.</summary>
    /// <exception cref="ProtocolException">429: one of them is used up.</exception>
    public void Admit(string keyId, string tenant, string operation)
    {
        RefuseIfForced();
        var now = time.GetTimestamp();
        var key = Take(new(Scope.Key, keyId, ""), options.PerKey, now);
        TokenBucket? shared = null;
        try
        {
            shared = Take(new(Scope.Tenant, tenant, ""), options.PerTenant, now);
            Take(new(Scope.Route, tenant, operation), options.PerRoute, now);
        }
        catch (ProtocolException)
        {
            key?.GiveBack();
            shared?.GiveBack();
            throw;
        }
    }

    /// <summary>Refuses the call where every call is refused; for calls of nobody in particular.</summary>
    /// <exception cref="ProtocolException">429.</exception>
    public void RefuseIfForced()
    {
        if (options.IsForced)
            throw new ProtocolException(new(ErrorCodes.RateLimited, "This server refuses all calls for now.", new() { ["retryAfterMs"] = ForcedWaitMs, ["scope"] = "global" }));
    }

    private TokenBucket? Take(BucketId id, int? perMinute, long now)
    {
        if (perMinute is not { } limit)
            return null;

        if (!_buckets.TryGetValue(id, out var bucket))
        {
            Sweep(now);
            bucket = _buckets.GetOrAdd(id, static (_, state) => new TokenBucket(state.limit, state.now), (limit, now));
        }

        if (bucket.TryTake(now, time.TimestampFrequency, out var wait))
            return bucket;

        var (scope, message) = id.Scope switch
        {
            Scope.Key => ("key", "The key has used up its calls for now."),
            Scope.Tenant => ("tenant", "The tenant has used up its calls for now."),
            _ => ("route", "The tenant has used up its calls of this operation for now."),
        };
        throw new ProtocolException(new(ErrorCodes.RateLimited, message, new()
        {
            ["retryAfterMs"] = (long)Math.Ceiling(wait.TotalMilliseconds),
            ["scope"] = scope,
            ["limit"] = limit,
        }));
    }

    private void Sweep(long now)
    {
        if (_buckets.Count < MaxBuckets)
            return;

        // One thread sweeps, at most once per second.
        var due = Interlocked.Read(ref _nextSweep);
        if (now < due || Interlocked.CompareExchange(ref _nextSweep, now + time.TimestampFrequency, due) != due)
            return;

        foreach (var (id, bucket) in _buckets)
        {
            if (bucket.IsFull(now, time.TimestampFrequency))
                _buckets.TryRemove(new(id, bucket));
        }
    }

    private readonly record struct BucketId(Scope Scope, string Owner, string Operation);
}
