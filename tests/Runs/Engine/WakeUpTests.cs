using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Runs.Timers;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Engine;

public sealed class WakeUpTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _woken = new();
    private readonly WakeUps _wakeUps;

    public WakeUpTests() => _wakeUps = new WakeUps(_time, _woken.Enqueue);

    [Theory]
    [InlineData(30)]
    [InlineData(2)]
    public void A_refill_that_has_read_an_older_due_time_does_not_replace_that_of_the_last_commit(int stale)
    {
        _wakeUps.Set("run", In(5));
        _wakeUps.Refill("run", In(stale));

        _time.Advance(TimeSpan.FromSeconds(4));
        _woken.Clear();
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["run"], _woken);
    }

    [Fact]
    public void A_refill_brings_what_nobody_knows_and_no_due_time_twice()
    {
        _wakeUps.Refill("run", In(5));
        _wakeUps.Refill("run", In(5));
        _wakeUps.Set("run", In(5));

        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(["run"], _woken);
    }

    [Fact]
    public void A_commit_replaces_what_an_older_one_has_set()
    {
        _wakeUps.Set("run", In(2));
        _wakeUps.Set("run", In(5));
        _wakeUps.Set("other", In(3));
        _wakeUps.Set("other", null);

        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(_woken);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["run"], _woken);
    }

    public void Dispose() => _wakeUps.Dispose();

    private DateTimeOffset In(int seconds) => _time.GetUtcNow() + TimeSpan.FromSeconds(seconds);
}
