using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Scheduler.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Scheduler.Tests;

public sealed class TickTestsOnSqlite(OnSqlite store) : TickTests(store), IClassFixture<OnSqlite>;

public sealed class TickTestsOnPostgreSql(OnPostgreSql store) : TickTests(store), IClassFixture<OnPostgreSql>;

public abstract class TickTests(Stores store)
{
    private static readonly DateTimeOffset Morning = new(2031, 5, 6, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Of_all_ticks_one_tells_of_a_slot_whoever_has_fired_it()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        host.Time.Advance(TimeSpan.FromSeconds(20));
        await host.CreateAsync("""  "id":"a","cron":"* * * * *" """);
        await host.CreateAsync("""  "id":"b","cron":"0 0 29 2 *" """);
        await host.CreateAsync("""  "id":"c","cron":"* * * * *","endAt":"2020-01-01T00:00:00.000Z" """);

        var reports = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => host.TickAsync()));

        Assert.Single(host.Runs.All);
        var told = Assert.Single(reports, report => report.GetProperty("fired").GetArrayLength() == 1);
        Assert.Equal($$"""[{"scheduleId":"a","runId":"{{host.Runs.All[0].RunId}}"}]""", told.GetProperty("fired").GetRawText());
        Assert.Equal(7, reports.Sum(report => report.GetProperty("skippedAlreadyFired").GetInt32()));
        Assert.All(reports, report => Assert.Equal((1, 1), (report.GetProperty("skippedExpired").GetInt32(), report.GetProperty("skippedNotMatching").GetInt32())));
        Assert.Equal(0, Sum(await host.TickAsync(tenant: "other")));
    }

    [Fact]
    public async Task A_refused_run_is_reported_and_stops_nobody()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        await host.StoreWorkflowAsync("w", "shop");
        host.Runs.OnCreate = request =>
        {
            if (request.Body.ToStringUtf8().Contains("bad", StringComparison.Ordinal))
                throw new Protocol.Errors.ProtocolException(Protocol.Errors.ProtocolError.Validation("Bad."));
        };
        await host.CreateAsync("""  "id":"bad","cron":"0 9 * * *","payload":{"bad":1} """);
        await host.CreateAsync("""  "id":"good","cron":"0 9 * * *" """);

        var report = await host.TickAsync(Morning);

        Assert.Equal("""[{"scheduleId":"bad","error":"validation_error: Bad."}]""", report.GetProperty("failed").GetRawText());
        Assert.Equal(1, report.GetProperty("fired").GetArrayLength());
    }

    [Fact]
    public async Task A_time_of_its_own_drives_the_clock_and_what_nobody_ticked_is_dropped_or_made_one_run()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        await host.CreateAsync("""  "id":"skip","cron":"0 9 * * *" """);
        await host.CreateAsync("""  "id":"once","cron":"0 9 * * *","misfirePolicy":"fire_once" """);

        Assert.Equal(["once", "skip"], Fired(await host.TickAsync(Morning)));
        Assert.Empty(Fired(await host.TickAsync(Morning)));
        Assert.Empty(Fired(await host.TickAsync(Morning.AddSeconds(40))));

        // Three mornings pass unseen.
        var late = await host.TickAsync(Morning.AddDays(3).AddMinutes(5));
        Assert.Equal(["once"], Fired(late));
        Assert.Equal(1, late.GetProperty("skippedNotMatching").GetInt32());

        Assert.Equal(["once", "skip"], Fired(await host.TickAsync(Morning.AddDays(4))));
        Assert.Equal(5, host.Runs.All.Count);
        Assert.Equal(Morning.AddDays(5), (await host.GetAsync("skip")).GetProperty("nextRunAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task Days_of_the_past_can_be_played_through()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        await host.CreateAsync("""  "id":"ny","cron":"30 1 * * *","timezone":"America/New_York" """);

        var fired = new List<string>();
        for (var at = new DateTimeOffset(2025, 11, 2, 5, 0, 0, TimeSpan.Zero); at.Hour < 8; at = at.AddMinutes(10))
        {
            if (Fired(await host.TickAsync(at)).Length > 0)
                fired.Add(at.ToString("HH:mm", CultureInfo.InvariantCulture));
        }

        Assert.Equal(["05:30"], fired);
    }

    [Fact]
    public async Task Ticks_of_the_same_time_at_once_make_one_run_each()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        foreach (var i in Enumerable.Range(0, 30))
            await host.CreateAsync($$"""  "id":"s{{i}}","cron":"0 9 * * *" """);

        var reports = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => host.TickAsync(Morning)));

        Assert.Equal(30, host.Runs.All.Count);
        Assert.Equal(30, reports.SelectMany(Fired).Distinct().Count());
        Assert.Equal(30, reports.Sum(report => report.GetProperty("fired").GetArrayLength()));
        Assert.Equal(90, reports.Sum(report => report.GetProperty("skippedAlreadyFired").GetInt32()));
    }

    [Fact]
    public async Task The_scheduler_leaves_a_clock_alone_that_was_taken_over()
    {
        await using var host = await SchedulerHost.StartAsync(store.Settings);
        await host.CreateAsync("""  "id":"d","cron":"*/7 * * * *" """);
        await host.TickAsync(Morning.AddMinutes(1));
        var runs = host.Runs.All.Count;

        host.Time.Advance(TimeSpan.FromMinutes(30));
        await host.CreateAsync("""  "id":"live","cron":"* * * * *" """);
        await Eventually.TrueAsync(() => host.Runs.All.Count > runs);
        Assert.Equal(runs + 1, host.Runs.All.Count);
    }

    private static string[] Fired(JsonElement report) =>
        [.. report.GetProperty("fired").EnumerateArray().Select(fire => fire.GetProperty("scheduleId").GetString()!).Order(StringComparer.Ordinal)];

    private static int Sum(JsonElement report) => report.EnumerateObject()
        .Sum(member => member.Value.ValueKind == JsonValueKind.Array ? member.Value.GetArrayLength() : member.Value.GetInt32());
}
