namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>
/// The schedules that fire within the next minutes, and one timer for the soonest. The table is the truth; what lies beyond
/// <see cref="Window"/> stays there until it comes near. An entry that was replaced is passed over when its time comes.
/// </summary>
internal sealed class DueQueue : IDisposable
{
    /// <summary>How far ahead the queue reaches.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<string, long> _queue = new();
    private readonly Dictionary<string, long> _dueAt = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly Action<IReadOnlyList<string>> _due;
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;

    /// <param name="due">Called on a timer thread with the schedules whose time has come; must not block.</param>
    public DueQueue(TimeProvider time, Action<IReadOnlyList<string>> due)
    {
        _time = time;
        _due = due;
        _timer = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count
    {
        get
        {
            lock (_gate)
                return _dueAt.Count;
        }
    }

    /// <summary>Sets when a schedule fires next, or that it does not.</summary>
    public void Set(string uid, DateTimeOffset? due)
    {
        lock (_gate)
        {
            if (due is not { } time || time > _time.GetUtcNow() + Window)
            {
                _dueAt.Remove(uid);
                return;
            }

            var at = time.ToUnixTimeMilliseconds();
            if (_dueAt.TryGetValue(uid, out var known) && known == at)
                return;

            _dueAt[uid] = at;
            _queue.Enqueue(uid, at);
            Arm();
        }
    }

    /// <summary>Forgets schedules that others look after from now on.</summary>
    public void RemoveWhere(Func<string, bool> uid)
    {
        lock (_gate)
        {
            foreach (var gone in _dueAt.Keys.Where(uid).ToArray())
                _dueAt.Remove(gone);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Fire()
    {
        List<string> due = [];
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            while (_queue.TryPeek(out var uid, out var at) && at <= now)
            {
                _queue.Dequeue();
                if (_dueAt.TryGetValue(uid, out var current) && current == at)
                {
                    _dueAt.Remove(uid);
                    due.Add(uid);
                }
            }

            Arm();
        }

        if (due.Count > 0)
            _due(due);
    }

    private void Arm()
    {
        if (_queue.TryPeek(out _, out var soonest) && soonest < _armedFor)
        {
            _armedFor = soonest;
            var wait = soonest - _time.GetUtcNow().ToUnixTimeMilliseconds();
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, wait)), Timeout.InfiniteTimeSpan);
        }
    }
}
