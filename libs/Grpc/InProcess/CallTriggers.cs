namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// What may end a call before its handler has answered: the deadline, the caller's token, and the cancellation of the call that it is
/// made in. Released when the call has ended, because tokens may live much longer than the call.
/// </summary>
internal sealed class CallTriggers(InProcessCallContext call, TimeProvider time)
{
    private ITimer? _deadline;
    private CancellationTokenRegistration _caller;
    private CancellationTokenRegistration _ambient;

    /// <summary>May end the call at once: a token is cancelled already, or the deadline has passed.</summary>
    public void Arm(CancellationToken caller, CancellationToken ambient)
    {
        if (call.Deadline != DateTime.MaxValue)
        {
            // Known before it runs, so that it can set itself again.
            var timer = time.CreateTimer(static state => ((CallTriggers)state!).CheckDeadline(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _deadline, timer);
            CheckDeadline();
        }

        if (caller.CanBeCanceled)
            _caller = caller.UnsafeRegister(static call => ((InProcessCallContext)call!).Cancel(), call);
        if (ambient.CanBeCanceled && ambient != caller)
            _ambient = ambient.UnsafeRegister(static call => ((InProcessCallContext)call!).Cancel(), call);
    }

    /// <summary>Does not wait for a callback that runs: it may be the one that ended the call.</summary>
    public void Release()
    {
        Volatile.Read(ref _deadline)?.Dispose();
        _caller.Unregister();
        _ambient.Unregister();
    }

    /// <summary>A timer may fire a little early, and a deadline that is further away than a timer reaches is approached in steps.</summary>
    private void CheckDeadline()
    {
        var remaining = call.Deadline - time.GetUtcNow().UtcDateTime;
        if (remaining <= TimeSpan.Zero)
            call.ExceedDeadline();
        else
            Volatile.Read(ref _deadline)!.Change(
                TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(remaining.TotalMilliseconds), int.MaxValue)), Timeout.InfiniteTimeSpan);
    }
}
