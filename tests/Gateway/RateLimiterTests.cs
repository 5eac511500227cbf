using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Gateway.RateLimits;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Tests;

public sealed class RateLimiterTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_minute_of_calls_may_come_at_once_and_comes_back_evenly()
    {
        var limiter = new RateLimiter(new RateLimitOptions(60), _time);
        Assert.Equal(60, Admitted(limiter, "k", 100));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(10, Admitted(limiter, "k", 100));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(60, Admitted(limiter, "k", 100));
    }

    [Fact]
    public void Keys_do_not_share()
    {
        var limiter = new RateLimiter(new RateLimitOptions(1), _time);
        Assert.Equal(1, Admitted(limiter, "a", 5));
        Assert.Equal(1, Admitted(limiter, "b", 5));
    }

    [Fact]
    public void Calls_at_the_same_moment_take_no_more_than_there_is()
    {
        var limiter = new RateLimiter(new RateLimitOptions(1000), _time);
        var admitted = 0;
        Parallel.For(0, 4000, _ => Interlocked.Add(ref admitted, Admitted(limiter, "k", 1)));
        Assert.Equal(1000, admitted);
    }

    [Fact]
    public void Keys_that_have_rested_take_no_memory_when_there_are_many()
    {
        var limiter = new RateLimiter(new RateLimitOptions(60), _time);
        for (var i = 0; i < 100_000; i++)
            limiter.Admit("key-" + i, "t", "getRun");
        _time.Advance(TimeSpan.FromMinutes(1));
        limiter.Admit("one more", "t", "getRun");
        Assert.Equal(1, limiter.Buckets);
    }

    [Fact]
    public void Keys_of_a_tenant_share_what_the_tenant_has()
    {
        var limiter = new RateLimiter(new RateLimitOptions(100, PerTenant: 3), _time);
        Assert.Equal(2, Admitted(limiter, "a", 2));
        Assert.Equal(1, Admitted(limiter, "b", 5));
        Assert.Equal(3, Admitted(limiter, "c", 5, tenant: "other"));
        Assert.Equal("tenant", Scope(limiter, "a"));
    }

    [Fact]
    public void Operations_of_a_tenant_are_counted_apart()
    {
        var limiter = new RateLimiter(new RateLimitOptions(100, PerRoute: 2), _time);
        Assert.Equal(2, Admitted(limiter, "a", 5, operation: "createRun"));
        Assert.Equal(2, Admitted(limiter, "a", 5, operation: "getRun"));
        Assert.Equal(2, Admitted(limiter, "b", 5, tenant: "other", operation: "getRun"));
        Assert.Equal("route", Scope(limiter, "a"));
    }

    [Fact]
    public void A_call_that_one_limit_refuses_costs_nothing_of_the_others()
    {
        var limiter = new RateLimiter(new RateLimitOptions(10, PerTenant: 8, PerRoute: 1), _time);
        Assert.Equal(1, Admitted(limiter, "a", 50, operation: "createRun"));
        Assert.Equal(7, Enumerable.Range(0, 20).Sum(number => Admitted(limiter, "a", 1, operation: "other" + number)));
    }

    private static string? Scope(RateLimiter limiter, string key) =>
        (string?)Assert.Throws<ProtocolException>(() => limiter.Admit(key, "t", "getRun")).Error.Details!["scope"];

    private static int Admitted(RateLimiter limiter, string key, int calls, string tenant = "t", string operation = "getRun") => Enumerable.Range(0, calls).Count(_ =>
    {
        try
        {
            limiter.Admit(key, tenant, operation);
            return true;
        }
        catch (ProtocolException exception) when (exception.Error.Code == ErrorCodes.RateLimited)
        {
            return false;
        }
    });
}
