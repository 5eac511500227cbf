using System.Collections.Concurrent;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>
/// Admits so many good deliveries of a webhook per minute. Only what is signed is counted: strangers cannot use a webhook's allowance up.
/// The allowances live in this process: several admit them once each.
/// </summary>
internal sealed class DeliveryLimits(TimeProvider time)
{
    /// <summary>Above this number, allowances that have filled up again are dropped: they are equal to new ones.</summary>
    private const int MaxAllowances = 50_000;

    private readonly ConcurrentDictionary<string, Allowance> _allowances = new(StringComparer.Ordinal);

    /// <summary>Takes one delivery from the allowance, or says how long to wait for it.</summary>
    public bool TryTake(string webhookId, int perMinute, out TimeSpan wait)
    {
        var now = time.GetTimestamp();
        if (!_allowances.TryGetValue(webhookId, out var allowance) || allowance.PerMinute != perMinute)
        {
            if (_allowances.Count >= MaxAllowances)
                Sweep(now);
            allowance = _allowances.AddOrUpdate(
                webhookId,
                static (_, state) => new Allowance(state.perMinute, state.now),
                static (_, before, state) => before.PerMinute == state.perMinute ? before : new Allowance(state.perMinute, state.now),
                (perMinute, now));
        }

        return allowance.TryTake(now, time.TimestampFrequency, out wait);
    }

    private void Sweep(long now)
    {
        foreach (var (id, allowance) in _allowances)
        {
            if (allowance.IsFull(now, time.TimestampFrequency))
                _allowances.TryRemove(id, out _);
        }
    }

    /// <summary>Holds one minute's worth and fills evenly.</summary>
    private sealed class Allowance(int perMinute, long now)
    {
        private readonly Lock _gate = new();
        private double _left = perMinute;
        private long _filledAt = now;

        public int PerMinute => perMinute;

        public bool TryTake(long now, long frequency, out TimeSpan wait)
        {
            lock (_gate)
            {
                Fill(now, frequency);
                wait = _left >= 1 ? TimeSpan.Zero : TimeSpan.FromMinutes((1 - _left) / perMinute);
                if (_left < 1)
                    return false;

                _left -= 1;
                return true;
            }
        }

        public bool IsFull(long now, long frequency)
        {
            lock (_gate)
            {
                Fill(now, frequency);
                return _left >= perMinute;
            }
        }

        private void Fill(long now, long frequency)
        {
            // Another thread may have read the clock later and come first.
            var elapsed = Math.Max(0, now - _filledAt);
            _left = Math.Min(perMinute, _left + ((double)elapsed / frequency * perMinute / 60));
            _filledAt = Math.Max(_filledAt, now);
        }
    }
}
