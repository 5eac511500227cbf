using CsCheck;
using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks.Tests.Triggers;

/// <summary>However events come, their runs start in time and never too many at once.</summary>
public sealed class StartRateProperties
{
    private const long Minute = 60_000;

    private static readonly Gen<(int PerMinute, int[] Gaps)> Samples = Gen.Select(Gen.Int[1, 6000], Gen.Int[0, 5000].Array[1, 300], (rate, gaps) => (rate, gaps));

    [Fact]
    public void No_run_starts_before_its_event_or_before_the_one_before_it() => Samples.Sample(sample =>
    {
        var starts = Play(sample.PerMinute, sample.Gaps);
        return starts.All(start => start.At >= start.EventAt) && starts.Select(start => start.At).SequenceEqual(starts.Select(start => start.At).Order());
    });

    [Fact]
    public void In_any_minute_there_are_at_most_two_allowances() => Samples.Sample(sample =>
    {
        var starts = Play(sample.PerMinute, sample.Gaps).ConvertAll(start => start.At);
        return starts.TrueForAll(from => starts.Count(at => at >= from && at < from + Minute) <= (2 * sample.PerMinute) + 1);
    });

    [Fact]
    public void What_is_slower_than_the_rate_never_waits() => Gen.Select(Gen.Int[1, 6000], Gen.Int[1, 200]).Sample((rate, count) =>
    {
        var interval = (int)((Minute + rate - 1) / rate);
        return Play(rate, [.. Enumerable.Repeat(interval, count)]).TrueForAll(start => start.At == start.EventAt);
    });

    [Fact]
    public void After_a_quiet_minute_one_allowance_starts_at_once()
    {
        var starts = Play(120, [.. Enumerable.Repeat(0, 122)]);
        Assert.Equal(120, starts.Count(start => start.At == start.EventAt));
        Assert.Equal([500L, 1000L], starts.Skip(120).Select(start => start.At - start.EventAt));
    }

    private static List<(long EventAt, long At)> Play(int perMinute, int[] gaps)
    {
        var (now, freeAt) = (1_000_000L, 0L);
        var starts = new List<(long, long)>();
        foreach (var gap in gaps)
        {
            now += gap;
            (var at, freeAt) = StartRate.Take(freeAt, perMinute, now);
            starts.Add((now, at));
        }

        return starts;
    }
}
