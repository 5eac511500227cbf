using System.Collections.Concurrent;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Gateway.RateLimits;

/// <summary>How many calls a key may make.</summary>
/// <param name="PerMinute">Calls per minute, also the most that may come at once; null = unlimited.</param>
internal sealed record RateLimitOptions(int? PerMinute)
{
    public const string PerMinuteSetting = "OPENWOP_RATELIMIT_PER_MINUTE";
    public const string DisabledSetting = "OPENWOP_RATELIMIT_DISABLED";

    /// <summary>2000 calls per second on average: no well-meant client notices, one that runs wild is contained.</summary>
    private const int DefaultPerMinute = 120_000;

    public static RateLimitOptions From(IConfiguration configuration) =>
        configuration.Switch(DisabledSetting)
            ? new(PerMinute: null)
            : new((int)configuration.Number(PerMinuteSetting, DefaultPerMinute, min: 1, max: 100_000_000));
}

/// <summary>
/// A token bucket per key (spec/http-core.md 11). A bucket holds one minute's worth of calls and fills evenly. Buckets live in this
/// gateway: an installation with several gateways admits the limit once per gateway.
/// </summary>
internal sealed class KeyRateLimiter(RateLimitOptions options, TimeProvider time)
{
    /// <summary>Above this number, buckets that have filled up again are dropped: they are equal to new ones.</summary>
    private const int MaxBuckets = 100_000;

    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private long _nextSweep;

    /// <summary>Number of buckets in memory.</summary>
    internal int Buckets => _buckets.Count;

    /// <summary>Takes one call from the key's allowance.</summary>
    /// <exception cref="ProtocolException">429: the allowance is used up.</exception>
    public void Admit(string keyId)
    {
        if (options.PerMinute is not { } limit)
            return;

        var now = time.GetTimestamp();
        if (!_buckets.TryGetValue(keyId, out var bucket))
        {
            Sweep(now, limit);
            bucket = _buckets.GetOrAdd(keyId, static (_, state) => new Bucket(state.limit, state.now), (limit, now));
        }

        if (bucket.TryTake(now, limit, time.TimestampFrequency, out var wait))
            return;

        throw new ProtocolException(new(ErrorCodes.RateLimited, "The key has used up its calls for now.", new()
        {
            ["retryAfterMs"] = (long)Math.Ceiling(wait.TotalMilliseconds),
            ["scope"] = "key",
            ["limit"] = limit,
        }));
    }

    private void Sweep(long now, int limit)
    {
        if (_buckets.Count < MaxBuckets)
            return;

        // One thread sweeps, at most once per second.
        var due = Interlocked.Read(ref _nextSweep);
        if (now < due || Interlocked.CompareExchange(ref _nextSweep, now + time.TimestampFrequency, due) != due)
            return;

        foreach (var (key, bucket) in _buckets)
        {
            if (bucket.IsFull(now, limit, time.TimestampFrequency))
                _buckets.TryRemove(new(key, bucket));
        }
    }

    private sealed class Bucket(double tokens, long filledAt)
    {
        private readonly Lock _gate = new();
        private double _tokens = tokens;
        private long _filledAt = filledAt;

        public bool TryTake(long now, int perMinute, long frequency, out TimeSpan wait)
        {
            lock (_gate)
            {
                Fill(now, perMinute, frequency);
                if (_tokens >= 1)
                {
                    _tokens -= 1;
                    wait = default;
                    return true;
                }

                wait = TimeSpan.FromMinutes((1 - _tokens) / perMinute);
                return false;
            }
        }

        public bool IsFull(long now, int perMinute, long frequency)
        {
            lock (_gate)
            {
                Fill(now, perMinute, frequency);
                return _tokens >= perMinute;
            }
        }

        private void Fill(long now, int perMinute, long frequency)
        {
            // Another thread may have read the clock later and come first.
            var elapsed = Math.Max(0, now - _filledAt);
            _tokens = Math.Min(perMinute, _tokens + ((double)elapsed / frequency * perMinute / 60));
            _filledAt = Math.Max(_filledAt, now);
        }
    }
}
