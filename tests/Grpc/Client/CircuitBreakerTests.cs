using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Grpc.Client;

namespace OpenWop.Micro.Grpc.Tests.Client;

public sealed class CircuitBreakerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerTests() => _breaker = new CircuitBreaker(_time);

    [Fact]
    public void Failures_open_it_only_in_a_row()
    {
        for (var i = 0; i < 3 * CircuitBreaker.Threshold; i++)
        {
            Assert.Null(_breaker.Failed());
            _breaker.Succeeded();
        }

        Assert.True(_breaker.TryEnter());
        Open();
        Assert.False(_breaker.TryEnter());
    }

    [Fact]
    public void After_a_break_one_call_finds_out_and_its_answer_closes_it()
    {
        Open();
        _time.Advance(CircuitBreaker.FirstBreak);

        Assert.True(_breaker.TryEnter());
        Assert.False(_breaker.TryEnter());
        Assert.True(_breaker.Succeeded());

        Assert.True(_breaker.TryEnter());
        Assert.True(_breaker.TryEnter());
    }

    [Fact]
    public void Each_failure_of_the_one_that_finds_out_doubles_the_break_up_to_the_longest()
    {
        var pause = Open();
        Assert.Equal(CircuitBreaker.FirstBreak, pause);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(pause);
            Assert.True(_breaker.TryEnter());
            var next = _breaker.Failed();
            Assert.Equal(pause * 2 < CircuitBreaker.LongestBreak ? pause * 2 : CircuitBreaker.LongestBreak, next);
            pause = next!.Value;
        }

        // And a closed one begins anew.
        _time.Advance(pause);
        Assert.True(_breaker.TryEnter());
        _breaker.Succeeded();
        Assert.Equal(CircuitBreaker.FirstBreak, Open());
    }

    [Fact]
    public void Calls_that_were_under_way_when_it_opened_change_nothing()
    {
        Open();

        Assert.False(_breaker.Succeeded());
        Assert.Null(_breaker.Failed());
        Assert.False(_breaker.TryEnter());
    }

    [Fact]
    public void A_caller_who_gives_up_before_it_is_found_out_is_followed_by_another()
    {
        Open();
        _time.Advance(CircuitBreaker.FirstBreak);
        Assert.True(_breaker.TryEnter());

        _time.Advance(CircuitBreaker.ProbePatience);

        Assert.True(_breaker.TryEnter());
        Assert.False(_breaker.TryEnter());
    }

    [Theory]
    [InlineData("250m", 250)]
    [InlineData("3S", 3000)]
    [InlineData("2M", 120_000)]
    [InlineData("1H", 3_600_000)]
    [InlineData("5000u", 5)]
    [InlineData("7000000n", 7)]
    [InlineData("m", null)]
    [InlineData("12x", null)]
    [InlineData("-1m", null)]
    public void Deadlines_are_read_in_all_units(string header, int? milliseconds)
    {
        using var request = new HttpRequestMessage();
        request.Headers.TryAddWithoutValidation("grpc-timeout", header);

        Assert.Equal(milliseconds, OutcomeHandler.DeadlineOf(request)?.TotalMilliseconds);
    }

    private TimeSpan Open()
    {
        for (var i = 1; i < CircuitBreaker.Threshold; i++)
            Assert.Null(_breaker.Failed());

        return _breaker.Failed()!.Value;
    }
}
