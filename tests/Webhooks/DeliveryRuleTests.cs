using System.Collections.Frozen;
using CsCheck;
using OpenWop.Micro.Webhooks.Delivery;

namespace OpenWop.Micro.Webhooks.Tests;

public sealed class DeliveryRuleTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly RetryPolicy Policy = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), 1000);

    [Fact]
    public void Waits_double_up_to_the_maximum_and_are_at_least_half_of_it() =>
        Gen.Select(Gen.Int[1, 999], Gen.Double[0, 0.999999]).Sample((attempt, jitter) =>
        {
            var delay = Policy.DelayAfter(attempt, jitter)!.Value;
            var ceiling = attempt > 10 ? Policy.MaxDelay : Policy.FirstDelay * (1 << (attempt - 1));
            return delay >= ceiling / 2 && delay <= ceiling;
        });

    [Fact]
    public void After_the_last_attempt_there_is_no_other()
    {
        Assert.NotNull(Policy.DelayAfter(999, 0));
        Assert.Null(Policy.DelayAfter(1000, 0));
    }

    [Fact]
    public void Four_failures_in_a_row_open_the_circuit_for_an_hour_then_one_probe_decides()
    {
        var three = Fail(CircuitBreaker.New, 3, Start);
        Assert.Equal(CircuitState.Closed, three.StateAt(Start));
        Assert.Equal(CircuitState.Closed, Fail(three.AfterSuccess(), 3, Start).StateAt(Start));

        var open = three.AfterFailure(Start);
        Assert.Equal(CircuitState.Open, open.StateAt(Start.AddMinutes(59)));
        var later = Start.AddHours(1);
        Assert.Equal(CircuitState.HalfOpen, open.StateAt(later));
        Assert.Equal(CircuitState.Closed, open.AfterSuccess().StateAt(later));
        Assert.Equal(CircuitState.Open, open.AfterFailure(later).StateAt(later.AddMinutes(59)));
    }

    [Fact]
    public void Attempts_under_way_when_the_circuit_opens_do_not_prolong_it()
    {
        var open = Fail(CircuitBreaker.New, 4, Start).AfterFailure(Start.AddMinutes(5));
        Assert.Equal(CircuitState.HalfOpen, open.StateAt(Start.AddHours(1)));
    }

    [Fact]
    public void A_subscription_fails_for_good_with_the_hundredth_failure_in_seven_days_and_not_before() =>
        Gen.Select(Gen.Int[0, 4 * 60], Gen.Bool).Array[100, 200].Sample(steps =>
        {
            var now = Start;
            var breaker = CircuitBreaker.New;
            var times = new List<DateTimeOffset>();
            var expected = false;
            foreach (var (minutes, succeeds) in steps)
            {
                now = now.AddMinutes(minutes);
                breaker = succeeds ? breaker.AfterSuccess() : breaker.AfterFailure(now);
                if (!succeeds)
                {
                    times.Add(now);
                    expected |= times.Count(at => now - at < CircuitRules.Default.FailureWindow) >= CircuitRules.Default.FailuresToFail;
                }

                Assert.Equal(expected, breaker.StateAt(now) == CircuitState.Failed);
            }
        }, iter: 100);

    [Theory]
    [InlineData("t1", "run.completed", "a", true)]
    [InlineData("t2", "run.completed", "a", false)]
    [InlineData("t1", "run.failed", "a", false)]
    [InlineData("t1", "run.completed", "b", false)]
    public void Tenant_event_and_tag_must_all_match(string tenant, string type, string tag, bool matches)
    {
        var filter = new SubscriptionFilter("t1", FrozenSet.Create("run.completed"), FrozenSet.Create("a", "c"));
        Assert.Equal(matches, filter.Matches(tenant, type, [tag]));
    }

    [Fact]
    public void Without_tags_every_run_of_the_tenant_matches() =>
        Assert.True(new SubscriptionFilter("t1", FrozenSet.Create("run.completed"), []).Matches("t1", "run.completed", []));

    private static CircuitBreaker Fail(CircuitBreaker breaker, int times, DateTimeOffset at) =>
        Enumerable.Range(0, times).Aggregate(breaker, (state, _) => state.AfterFailure(at));
}
