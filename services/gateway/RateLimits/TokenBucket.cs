namespace OpenWop.Micro.Gateway.RateLimits;

/// <summary>Holds one minute's worth of calls and fills evenly.</summary>
internal sealed class TokenBucket(int perMinute, long now)
{
    private readonly Lock _gate = new();
    private double _tokens = perMinute;
    private long _filledAt = now;

    /// <summary>Takes a call, or says how long to wait for one.</summary>
    public bool TryTake(long now, long frequency, out TimeSpan wait)
    {
        lock (_gate)
        {
            Fill(now, frequency);
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

    /// <summary>Takes back what was taken for a call that another bucket has refused.</summary>
    public void GiveBack()
    {
        lock (_gate)
            _tokens = Math.Min(perMinute, _tokens + 1);
    }

    public bool IsFull(long now, long frequency)
    {
        lock (_gate)
        {
            Fill(now, frequency);
            return _tokens >= perMinute;
        }
    }

    private void Fill(long now, long frequency)
    {
        // Another thread may have read the clock later and come first.
        var elapsed = Math.Max(0, now - _filledAt);
        _tokens = Math.Min(perMinute, _tokens + ((double)elapsed / frequency * perMinute / 60));
        _filledAt = Math.Max(_filledAt, now);
    }
}
