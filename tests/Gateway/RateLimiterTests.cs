using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Gateway.RateLimits;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class KeyRateLimiterTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_minute_of_calls_may_come_at_once_and_comes_back_evenly()
    {
        var limiter = new KeyRateLimiter(new RateLimitOptions(60), _time);
        Assert.Equal(60, Admitted(limiter, "k", 100));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(10, Admitted(limiter, "k", 100));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(60, Admitted(limiter, "k", 100));
    }

    [Fact]
    public void Keys_do_not_share()
    {
        var limiter = new KeyRateLimiter(new RateLimitOptions(1), _time);
        Assert.Equal(1, Admitted(limiter, "a", 5));
        Assert.Equal(1, Admitted(limiter, "b", 5));
    }

    [Fact]
    public void Calls_at_the_same_moment_take_no_more_than_there_is()
    {
        var limiter = new KeyRateLimiter(new RateLimitOptions(1000), _time);
        var admitted = 0;
        Parallel.For(0, 4000, _ => Interlocked.Add(ref admitted, Admitted(limiter, "k", 1)));
        Assert.Equal(1000, admitted);
    }

    [Fact]
    public void Keys_that_have_rested_take_no_memory_when_there_are_many()
    {
        var limiter = new KeyRateLimiter(new RateLimitOptions(60), _time);
        for (var i = 0; i < 100_000; i++)
            limiter.Admit("key-" + i);
        _time.Advance(TimeSpan.FromMinutes(1));
        limiter.Admit("one more");
        Assert.Equal(1, limiter.Buckets);
    }

    private static int Admitted(KeyRateLimiter limiter, string key, int calls) => Enumerable.Range(0, calls).Count(_ =>
    {
        try
        {
            limiter.Admit(key);
            return true;
        }
        catch (ProtocolException exception) when (exception.Error.Code == ErrorCodes.RateLimited)
        {
            return false;
        }
    });
}
