using System.Globalization;
using System.Text;
using Grpc.Core;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Scheduler.Tests.Hosting;
using Xunit.Abstractions;

namespace OpenWop.Micro.Scheduler.Tests.Faults;

public sealed class FleetTests(ITestOutputHelper output)
{
    private const int SlotsOfInterval = 5;

    /// <summary>Slots altogether; more with <c>OPENWOP_TEST_SLOTS</c>.</summary>
    private static int Slots { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("OPENWOP_TEST_SLOTS"), CultureInfo.InvariantCulture, out var slots) ? slots : 1_000;

    [Fact]
    public async Task Every_slot_makes_one_run_however_many_schedulers_are_killed_and_frozen()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"Seed {seed}.");
        var random = new Random(seed);
        var runs = new FakeRuns { OnCreated = LoseSomeAnswers(new Random(seed)) };
        await using var fleet = await Fleet.PrepareAsync(size: 4, runs);
        var expected = await StoreAsync(fleet, firstSlot: WholeSecond(DateTimeOffset.UtcNow.AddSeconds(8)));
        await Task.WhenAll(Enumerable.Range(0, fleet.Size).Select(fleet.StartAsync));

        // As long as there is work, somebody is always missing.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var faults = 0;
        for (; faults < 12 && runs.Count < expected.Count; faults++)
        {
            await WaitAsync(() => Task.FromResult(runs.Count >= expected.Count * faults / 16));
            var victim = random.Next(fleet.Size);
            await (random.Next(4) switch
            {
                0 => fleet.FreezeAsync(victim),
                1 => fleet.TerminateAsync(victim),
                _ => fleet.KillAsync(victim),
            });
            await fleet.StartAsync(victim);
        }

        await WaitAsync(() => Task.FromResult(runs.Count >= expected.Count));
        await WaitAsync(async () => await CountAsync("SELECT count(*) FROM fires WHERE next_attempt_at IS NOT NULL") == 0);

        Assert.Equal(expected.Order(StringComparer.Ordinal), runs.All.Select(run => run.RequestId).Order(StringComparer.Ordinal));
        Assert.Equal(expected.Count, await CountAsync("SELECT count(*) FROM fires WHERE status = 2 AND run_id IS NOT NULL"));
        output.WriteLine($"{expected.Count} runs, {faults} faults; the engine was asked {runs.Calls} times.");

        async Task WaitAsync(Func<Task<bool>> condition)
        {
            while (!await condition())
                await Task.Delay(10, limit.Token);
        }

        async Task<long> CountAsync(string sql)
        {
            await using var session = await fleet.Database.OpenReadAsync(limit.Token);
            return await session.ScalarAsync<long>(sql);
        }
    }

    /// <summary>The run is there, and nobody hears of it.</summary>
    private static Action<CreatedRun> LoseSomeAnswers(Random random) => _ =>
    {
        lock (random)
        {
            if (random.Next(50) == 0)
                throw new RpcException(new Status(StatusCode.Unavailable, "Lost on the way."));
        }
    };

    /// <summary>Single times and intervals, with all their slots within a few seconds.</summary>
    /// <returns>The request ids of the runs that they have to make.</returns>
    private static async Task<HashSet<string>> StoreAsync(Fleet fleet, DateTimeOffset firstSlot)
    {
        var expected = new HashSet<string>(StringComparer.Ordinal);
        var schedules = new List<Schedule>();
        while (expected.Count < Slots)
        {
            var start = firstSlot.AddMilliseconds(schedules.Count % 5 * 1000);
            var isInterval = schedules.Count % 3 == 0 && Slots - expected.Count >= SlotsOfInterval;
            var spec = isInterval
                ? $$"""{"workflowId":"w","everyMs":1000,"startAt":"{{Timestamps.Format(start)}}","endAt":"{{Timestamps.Format(start.AddSeconds(SlotsOfInterval - 1))}}","misfirePolicy":"fire_all"}"""
                : $$"""{"workflowId":"w","at":"{{Timestamps.Format(start)}}"}""";
            var schedule = New(spec, schedules.Count, start);
            schedules.Add(schedule);
            for (var i = 0; i < (isInterval ? SlotsOfInterval : 1); i++)
                expected.Add(new Fire(schedule.Uid, schedule.Owner, schedule.Id, start.AddSeconds(i)).RequestId);
        }

        await new ScheduleStore(fleet.Database).InsertManyAsync(schedules, CancellationToken.None);
        return expected;
    }

    private static Schedule New(string spec, int index, DateTimeOffset nextFireAt)
    {
        var now = DateTimeOffset.UtcNow;
        return new Schedule(
            Guid.NewGuid().ToString("N"), new ScheduleOwner($"tenant-{index % 7}", IsTest: false), $"s{index}", "somebody", Encoding.UTF8.GetBytes(spec))
        {
            CreatedAt = now,
            UpdatedAt = now,
            SettledUntil = now,
            NextFireAt = nextFireAt,
        };
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
