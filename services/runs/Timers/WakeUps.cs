namespace OpenWop.Micro.Runs.Timers;

/// <summary>
/// Wakes runs when something in them is due. The truth is the column <c>wake_at</c>, written with the event that caused it;
/// this holds only what is due within <see cref="Window"/>, refilled from the table before it runs out, and one timer for the
/// soonest entry. A run has at most one live entry of its commits; entries that were replaced are passed over when their time comes.
/// What a refill brings may be older than the run's last commit and replaces nothing: it wakes the run once too often at worst.
/// </summary>
internal sealed class WakeUps : IDisposable
{
    /// <summary>How far ahead due times are held in memory.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private readonly PriorityQueue<Entry, long> queue = new();
    private readonly Dictionary<string, long> dueAt = new(StringComparer.Ordinal);
    private readonly TimeProvider clock;
    private readonly Action<string> wake;
    private readonly ITimer timer;
    private long armedFor = long.MaxValue;

    /// <param name="wake">Called on a timer thread for each due run; must not block.</param>
    public WakeUps(TimeProvider clock, Action<string> wake)
    {
        this.clock = clock;
        this.wake = wake;
        timer = clock.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sets the next due time of a run, or clears it. What lies beyond the window is left to the next refill.</summary>
    public void Set(string runId, DateTimeOffset? due)
    {
        lock (gate)
        {
            if (due is not { } time || time > clock.GetUtcNow() + Window)
            {
                dueAt.Remove(runId);
                return;
            }

            var at = time.ToUnixTimeMilliseconds();
            if (dueAt.TryGetValue(runId, out var known) && known == at)
            {
                return;
            }

            dueAt[runId] = at;
            queue.Enqueue(new Entry(runId, IsCertain: false), at);
            Arm();
        }
    }

    /// <summary>Adds a due time that was read from the table, within the window. The run may have got on since, and be due at another time.</summary>
    public void Refill(string runId, DateTimeOffset due)
    {
        lock (gate)
        {
            var at = due.ToUnixTimeMilliseconds();
            if (dueAt.TryAdd(runId, at))
                queue.Enqueue(new Entry(runId, IsCertain: false), at);
            else if (dueAt[runId] != at)
                queue.Enqueue(new Entry(runId, IsCertain: true), at);

            Arm();
        }
    }

    public void Dispose() => timer.Dispose();

    private void Fire()
    {
        List<string> due = [];
        lock (gate)
        {
            armedFor = long.MaxValue;
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            while (queue.TryPeek(out var entry, out var at) && at <= now)
            {
                queue.Dequeue();
                if (dueAt.TryGetValue(entry.RunId, out var current) && current == at)
                {
                    dueAt.Remove(entry.RunId);
                    due.Add(entry.RunId);
                }
                else if (entry.IsCertain)
                {
                    due.Add(entry.RunId);
                }
            }

            Arm();
        }

        foreach (var runId in due)
        {
            wake(runId);
        }
    }

    private void Arm()
    {
        if (queue.TryPeek(out _, out var soonest) && soonest < armedFor)
        {
            armedFor = soonest;
            var wait = soonest - clock.GetUtcNow().ToUnixTimeMilliseconds();
            timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, wait)), Timeout.InfiniteTimeSpan);
        }
    }

    /// <param name="IsCertain">Wakes the run whatever its last commit has said.</param>
    private readonly record struct Entry(string RunId, bool IsCertain);
}
