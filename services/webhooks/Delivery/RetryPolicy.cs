namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>When a failed delivery is tried again.</summary>
/// <param name="FirstDelay">Longest wait after the first failure.</param>
/// <param name="MaxDelay">Longest wait after any failure.</param>
/// <param name="MaxAttempts">So many attempts, the first included; then the delivery is a dead letter.</param>
internal sealed record RetryPolicy(TimeSpan FirstDelay, TimeSpan MaxDelay, int MaxAttempts)
{
    /// <summary>
    /// How long to wait after a failed attempt, or null when it was the last one. The wait doubles from attempt to attempt up
    /// to the maximum; its upper half is random so that deliveries that failed together do not come back together.
    /// </summary>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="jitter">Random, at least 0 and less than 1.</param>
    public TimeSpan? DelayAfter(int attempt, double jitter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        if (attempt >= MaxAttempts)
        {
            return null;
        }

        // In floating point: doubling ticks overflows after some sixty attempts.
        var ceiling = Math.Min(FirstDelay.Ticks * Math.Pow(2, attempt - 1), MaxDelay.Ticks);
        return TimeSpan.FromTicks((long)(ceiling / 2 * (1 + jitter)));
    }
}
