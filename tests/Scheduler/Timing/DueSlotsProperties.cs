using CsCheck;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Tests.Timing;

/// <summary>Decisions of many that come at any time fit together: every slot is in one of them, or in none, never in two.</summary>
public sealed class DueSlotsProperties
{
    private static readonly DateTimeOffset Start = Cron.At("2026-10-24 20:00");

    private static readonly Gen<Timetable> Timetables = Gen.OneOf(
        Choice.Of("* * * * *", "*/7 * * * *", "30 2 * * *", "0,30 1-3 * * *").Select(Choice.Of("UTC", "Europe/Berlin"), (text, zone) =>
            (Timetable)new Timetable.Cron(Cron.Parse(text, zone), HasSeconds: false)),
        Gen.Int[60, 10_000].Select(seconds => (Timetable)new Timetable.Interval(TimeSpan.FromSeconds(seconds), Start.AddSeconds(17))),
        Gen.Int[-5000, 50_000].Select(seconds => (Timetable)new Timetable.Once(Start.AddSeconds(seconds))));

    private static readonly Gen<int[]> Steps = Gen.Int[0, 4000].Array[1, 25];

    private static readonly Gen<(Timetable Timetable, MisfirePolicy Misfire, int[] Steps, int End)> Samples =
        Gen.Select(Timetables, Choice.Of(MisfirePolicy.Skip, MisfirePolicy.FireOnce, MisfirePolicy.FireAll), Steps, Gen.Int[0, 100_000], (a, b, c, d) => (a, b, c, d));

    [Fact]
    public void No_slot_is_decided_on_twice_and_none_is_early() => Samples.Sample(sample =>
    {
        var (fired, all, _) = Play(sample.Timetable, sample.Misfire, sample.Steps, sample.End);
        return fired.Distinct().Count() == fired.Count && fired.SequenceEqual(fired.Order()) && fired.All(all.Contains);
    });

    [Fact]
    public void Made_up_for_slots_are_all_there() => Samples.Where(sample => sample.Misfire == MisfirePolicy.FireAll).Sample(sample =>
    {
        var (fired, all, _) = Play(sample.Timetable, sample.Misfire, sample.Steps, sample.End);
        return fired.SequenceEqual(all);
    });

    [Fact]
    public void One_run_is_made_per_decision_that_finds_something() => Samples.Where(sample => sample.Misfire == MisfirePolicy.FireOnce).Sample(sample =>
    {
        var (fired, all, decisions) = Play(sample.Timetable, sample.Misfire, sample.Steps, sample.End);
        return decisions.All(decision => decision.Fire.Count <= 1)
            && decisions.Sum(decision => decision.Fire.Count + decision.Dropped) == all.Count
            && fired.Count == decisions.Count(decision => decision.Fire.Count + decision.Dropped > 0);
    });

    [Fact]
    public void Skipping_leaves_only_slots_that_are_in_time() => Samples.Where(sample => sample.Misfire == MisfirePolicy.Skip).Sample(sample =>
    {
        var (_, all, decisions) = Play(sample.Timetable, sample.Misfire, sample.Steps, sample.End);
        return decisions.All(decision => decision.Fire.All(slot => decision.SettledUntil - slot < DueSlots.Punctuality))
            && decisions.Sum(decision => decision.Fire.Count + decision.Dropped) == all.Count;
    });

    [Fact]
    public void The_next_slot_is_the_first_that_is_not_decided_on() => Samples.Sample(sample =>
    {
        var (_, _, decisions) = Play(sample.Timetable, sample.Misfire, sample.Steps, sample.End);
        var rules = Rules(sample.Timetable, sample.Misfire, sample.End);
        return decisions.All(decision => decision.Next == rules.Next(decision.SettledUntil));
    });

    [Fact]
    public void A_schedule_of_every_second_that_was_away_for_a_month_is_decided_on_quickly()
    {
        var rules = new FiringRules(new Timetable.Interval(TimeSpan.FromSeconds(1), Start), null, null, MisfirePolicy.FireOnce, 1);

        var due = DueSlots.Decide(rules, Start, Start.AddDays(30));

        Assert.Equal([Start.AddDays(30)], due.Fire);
        Assert.Equal(Start.AddDays(30).AddSeconds(1), due.Next);
    }

    [Fact]
    public void The_newest_slots_are_made_up_for_when_there_are_too_many()
    {
        var rules = new FiringRules(new Timetable.Interval(TimeSpan.FromHours(1), Start), null, null, MisfirePolicy.FireAll, 3);

        var due = DueSlots.Decide(rules, Start, Start.AddHours(10).AddMinutes(5));

        Assert.Equal([Start.AddHours(8), Start.AddHours(9), Start.AddHours(10)], due.Fire);
        Assert.Equal(7, due.Dropped);
    }

    [Fact]
    public void Slots_lie_from_the_start_to_the_end_both_included()
    {
        var rules = new FiringRules(
            new Timetable.Cron(Cron.Parse("0 * * * *"), HasSeconds: false), Cron.At("2026-01-01 03:00"), Cron.At("2026-01-01 05:00"), MisfirePolicy.FireAll, 100);

        var due = DueSlots.Decide(rules, Cron.At("2026-01-01"), Cron.At("2026-01-02"));

        Assert.Equal([Cron.At("2026-01-01 03:00"), Cron.At("2026-01-01 04:00"), Cron.At("2026-01-01 05:00")], due.Fire);
        Assert.Null(due.Next);
    }

    private static FiringRules Rules(Timetable timetable, MisfirePolicy misfire, int end) => new(timetable, null, Start.AddSeconds(end), misfire, 1_000_000);

    /// <summary>Decides at the ends of the steps, one after another.</summary>
    private static (List<DateTimeOffset> Fired, List<DateTimeOffset> All, List<DueSlots> Decisions) Play(Timetable timetable, MisfirePolicy misfire, int[] steps, int end)
    {
        var rules = Rules(timetable, misfire, end);
        var decisions = new List<DueSlots>();
        var (settled, now) = (Start, Start);
        foreach (var step in steps)
        {
            now = now.AddSeconds(step);
            var decision = DueSlots.Decide(rules, settled, now);
            settled = decision.SettledUntil;
            decisions.Add(decision);
        }

        var all = new List<DateTimeOffset>();
        for (var slot = rules.Next(Start); slot is { } at && at <= now; slot = rules.Next(at))
            all.Add(at);

        return ([.. decisions.SelectMany(decision => decision.Fire)], all, decisions);
    }
}
