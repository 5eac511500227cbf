using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Scheduler.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Scheduler.Tests.Hosting;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Scheduler.Tests;

public sealed class ScheduleTestsOnSqlite(OnSqlite store) : ScheduleTests(store), IClassFixture<OnSqlite>;

public sealed class ScheduleTestsOnPostgreSql(OnPostgreSql store) : ScheduleTests(store), IClassFixture<OnPostgreSql>;

public abstract class ScheduleTests(Stores store)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>The minute of the hour that is so many minutes after the start, as a cron field.</summary>
    private static string MinuteAfter(int minutes) => SchedulerHost.Start.AddMinutes(minutes).Minute.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_schedule_is_made_read_listed_changed_and_deleted()
    {
        await using var host = await StartAsync();

        var made = await host.CreateAsync("""
            "id":"nightly","cron":"0 3 * * *","timezone":"Europe/Berlin","payload":{"n":9007199254740993},"endAt":"2099-01-01T00:00:00Z","misfirePolicy":"fire_once","other":1
            """);

        Assert.Equal("nightly", made.GetProperty("id").GetString());
        Assert.Equal("w", made.GetProperty("workflowId").GetString());
        Assert.Equal("Europe/Berlin", made.GetProperty("timezone").GetString());
        Assert.Equal("9007199254740993", made.GetProperty("payload").GetProperty("n").GetRawText());
        Assert.Equal("fire_once", made.GetProperty("misfirePolicy").GetString());
        Assert.True(made.GetProperty("enabled").GetBoolean());
        Assert.False(made.TryGetProperty("other", out _));
        var next = made.GetProperty("nextRunAt").GetDateTimeOffset();
        Assert.True(next > SchedulerHost.Start && next < SchedulerHost.Start.AddHours(26));
        Assert.Equal(made.GetRawText(), (await host.GetAsync("nightly")).GetRawText());

        var second = await host.CreateAsync("""  "cron":"* * * * *","enabled":false """);
        Assert.Equal(JsonValueKind.Null, second.GetProperty("nextRunAt").ValueKind);
        var listed = await host.Client.ListSchedulesAsync(new ListSchedulesRequest(), await host.UserAsync());
        Assert.Equal(["nightly", second.GetProperty("id").GetString()], listed.Schedules.Select(json => JsonElement.Parse(json.Span).GetProperty("id").GetString()));

        var changed = await host.ChangeAsync("nightly", """{"cron":"0 4 * * *","endAt":null,"id":"x","workflowId":"y"}""");
        Assert.Equal(("nightly", "w", "0 4 * * *"), (changed.GetProperty("id").GetString(), changed.GetProperty("workflowId").GetString(), changed.GetProperty("cron").GetString()));
        Assert.False(changed.TryGetProperty("endAt", out _));
        Assert.Equal(TimeSpan.FromHours(1), changed.GetProperty("nextRunAt").GetDateTimeOffset() - next);

        await host.DeleteAsync("nightly");
        Assert.Equal("not_found", (await RefusedAsync(() => host.GetAsync("nightly"))).Code.Name);
        Assert.Equal("not_found", (await RefusedAsync(() => host.DeleteAsync("nightly"))).Code.Name);
        Assert.Equal("not_found", (await RefusedAsync(() => host.ChangeAsync("nightly", "{}"))).Code.Name);
    }

    [Fact]
    public async Task What_is_not_valid_is_refused_by_name()
    {
        await using var host = await StartAsync();
        (string Members, string Code)[] faults =
        [
            ("""  "cron":"60 * * * *" """, "invalid_cron"),
            ("""  "cron":"* * * * * *" """, "invalid_cron"),
            ("""  "cron":"* * * * *","timezone":"Mars/Olympus" """, "invalid_timezone"),
            ("""  "cron":"* * * * *","timezone":"../../etc/passwd" """, "invalid_timezone"),
            ("""  "cron":"* * * * *","timezone":"" """, "invalid_timezone"),
            ("""  "cron":"* * * * *","timezone":"\u0000" """, "invalid_timezone"),
            ("""  "cron":"* * * * *","timezone":5 """, "invalid_timezone"),
            ("""  "cron":7 """, "validation_error"),
            ("""  "cron":"" """, "validation_error"),
            ("""  "other":7 """, "validation_error"),
            ("""  "cron":"* * * * *","everyMs":5000 """, "validation_error"),
            ("""  "everyMs":5 """, "validation_error"),
            ("""  "cron":"* * * * *","id":"a/b" """, "validation_error"),
            ("""  "cron":"* * * * *","id":"" """, "validation_error"),
            ("""  "cron":"* * * * *","endAt":"tomorrow" """, "validation_error"),
            ("""  "cron":"* * * * *","endAt":"2026-01-01T00:00:00" """, "validation_error"),
            ("""  "cron":"* * * * *","endAt":12 """, "validation_error"),
            ("""  "cron":"* * * * *","enabled":"yes" """, "validation_error"),
            ("""  "cron":"* * * * *","misfirePolicy":"later" """, "validation_error"),
            ("""  "cron":"* * * * *","jitterMs":-1 """, "validation_error"),
            ("""  "cron":"* * * * *","options":{"workflowId":"other"} """, "validation_error"),
            ("""  "cron":"* * * * *","payload":"\ud800" """, "validation_error"),
            ("""  "workflowId":"twice","cron":"* * * * *" """, "validation_error"),
        ];
        foreach (var (members, code) in faults)
        {
            var refused = await RefusedAsync(() => host.CreateAsync(members));
            Assert.True(refused.Code.Name == code, $"{members}: {refused.Code.Name} {refused.Message}");
        }
    }

    [Fact]
    public async Task Of_several_faults_the_cron_expression_comes_before_the_workflow()
    {
        await using var host = await StartAsync();
        var user = await host.UserAsync();

        Assert.Equal("invalid_cron", (await RefusedAsync(() => CreateAsync("""{"workflowId":"absent","cron":"x"}"""))).Code.Name);
        Assert.Equal("workflow_not_found", (await RefusedAsync(() => CreateAsync("""{"workflowId":"absent","cron":"* * * * *"}"""))).Code.Name);
        Assert.Equal("validation_error", (await RefusedAsync(() => CreateAsync("""[]"""))).Code.Name);
        Assert.Equal("validation_error", (await RefusedAsync(() => CreateAsync("""{"""))).Code.Name);

        async Task CreateAsync(string body) =>
            await host.Client.CreateScheduleAsync(new CreateScheduleRequest { Body = ByteString.CopyFromUtf8(body) }, user);
    }

    [Fact]
    public async Task Ids_belong_to_a_tenant_and_a_mode_and_are_taken_once()
    {
        await using var host = await StartAsync();
        await host.StoreWorkflowAsync("w", "other");
        await host.StoreWorkflowAsync("w", isTest: true);
        const string Members = """  "id":"mine","cron":"0 0 1 1 *" """;

        await host.CreateAsync(Members);
        await host.CreateAsync(Members, isTest: true);
        await host.CreateAsync(Members, tenant: "other");

        Assert.Equal("schedule_exists", (await RefusedAsync(() => host.CreateAsync(Members))).Code.Name);
        await host.DeleteAsync("mine", "other");
        Assert.Equal("mine", (await host.GetAsync("mine")).GetProperty("id").GetString());
        Assert.Equal("not_found", (await RefusedAsync(() => host.GetAsync("mine", "other"))).Code.Name);
    }

    [Fact]
    public async Task Every_minute_is_fired_once_with_what_the_schedule_says()
    {
        await using var host = await StartAsync();
        host.Time.Advance(TimeSpan.FromSeconds(30));
        var made = await host.CreateAsync("""  "id":"m","cron":"* * * * *","payload":{"a":1},"options":{"tags":["t"]} """);

        // The minute that has begun is due at once; the next one is what is announced.
        Assert.Equal(SchedulerHost.Start.AddMinutes(1), made.GetProperty("nextRunAt").GetDateTimeOffset());
        await CountAsync(host, 1);
        for (var i = 0; i < 3; i++)
        {
            host.Time.Advance(Minute);
            await CountAsync(host, i + 2);
        }

        var run = host.Runs.All[^1];
        Assert.Equal("""{"workflowId":"w","inputs":{"a":1},"tags":["t"]}""", run.Body.GetRawText());
        Assert.Equal(("acme", false), (run.Tenant, run.IsTest));
        await Eventually.TrueAsync(async () => (await host.GetAsync("m")).TryGetProperty("lastRunId", out var last) && last.GetString() == run.RunId);
        var history = await host.HistoryAsync("m");
        Assert.Equal([3, 2, 1, 0], history.Select(fire => (int)(fire.GetProperty("slot").GetDateTimeOffset() - SchedulerHost.Start).TotalMinutes));
        Assert.All(history, fire => Assert.Equal("fired", fire.GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData("[1,2]", """{"$input":[1,2]}""")]
    [InlineData("\"text\"", """{"$input":"text"}""")]
    [InlineData("0", """{"$input":0}""")]
    [InlineData("null", null)]
    public async Task A_payload_that_is_no_object_is_the_input_as_it_is(string payload, string? inputs)
    {
        await using var host = await StartAsync();
        await host.CreateAsync($$"""  "id":"m","cron":"* * * * *","payload":{{payload}} """);
        await CountAsync(host, 1);

        Assert.Equal(inputs, host.Runs.All[^1].Body.TryGetProperty("inputs", out var given) ? given.GetRawText() : null);
    }

    [Fact]
    public async Task Pausing_drops_slots_and_resuming_does_not_bring_them_back()
    {
        await using var host = await StartAsync();
        await host.CreateAsync("""  "id":"p","cron":"* * * * *","misfirePolicy":"fire_all" """);
        await CountAsync(host, 1);

        var paused = await host.ChangeAsync("p", """{"enabled":false}""");
        Assert.Equal(JsonValueKind.Null, paused.GetProperty("nextRunAt").ValueKind);
        host.Time.Advance(TimeSpan.FromSeconds(330));
        var resumed = await host.ChangeAsync("p", """{"enabled":true}""");
        Assert.Equal(SchedulerHost.Start.AddMinutes(6), resumed.GetProperty("nextRunAt").GetDateTimeOffset());

        await CountAsync(host, 2); // the minute that lasts
        host.Time.Advance(Minute);
        await CountAsync(host, 3);
    }

    [Fact]
    public async Task Intervals_and_single_times_fire()
    {
        await using var host = await StartAsync();
        await host.CreateAsync("""  "everyMs":10000 """);
        var at = Scheduler.Schedules.Timestamps.Format(SchedulerHost.Start.AddSeconds(15));
        var once = await host.CreateAsync($$"""  "id":"once","at":"{{at}}" """);
        Assert.Equal(at, once.GetProperty("nextRunAt").GetString());

        foreach (var count in (int[])[1, 3, 4, 5])
        {
            host.Time.Advance(TimeSpan.FromSeconds(10));
            await CountAsync(host, count);
        }

        Assert.Equal(JsonValueKind.Null, (await host.GetAsync("once")).GetProperty("nextRunAt").ValueKind);
    }

    [Fact]
    public async Task Late_slots_are_dropped_made_one_or_made_up_for()
    {
        using var folder = new TempFolder();
        var settings = store.Settings;
        var runs = new FakeRuns();
        await using (var host = await SchedulerHost.StartAsync(settings, folder.Path, runs))
        {
            foreach (var policy in (string[])["skip", "fire_once", "fire_all"])
            {
                await host.StoreWorkflowAsync(policy);
                await MakeAsync(host, policy, $$"""  "id":"{{policy}}","misfirePolicy":"{{policy}}","cron":"{{MinuteAfter(1)}},{{MinuteAfter(2)}},{{MinuteAfter(3)}} * * * *" """);
            }
        }

        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(SchedulerHost.Start.AddMinutes(10));
        await using var later = await SchedulerHost.StartAsync(settings, folder.Path, runs, time);
        await Eventually.TrueAsync(() => runs.All.Count == 4);
        Assert.Equal((0, 1, 3), (runs.Of("skip").Count, runs.Of("fire_once").Count, runs.Of("fire_all").Count));
        Assert.Equal([1, 2, 3], (await later.HistoryAsync("fire_all")).Reverse().Select(fire => (int)(fire.GetProperty("slot").GetDateTimeOffset() - SchedulerHost.Start).TotalMinutes));
        Assert.Equal(3, Assert.Single(await later.HistoryAsync("fire_once")).GetProperty("slot").GetDateTimeOffset().Subtract(SchedulerHost.Start).TotalMinutes);
        Assert.Empty(await later.HistoryAsync("skip"));
    }

    [Fact]
    public async Task A_run_that_is_not_over_holds_the_next_one_back_or_is_cancelled()
    {
        await using var host = await StartAsync();
        await host.StoreWorkflowAsync("skip");
        await host.StoreWorkflowAsync("cancel_previous");
        await MakeAsync(host, "skip", """  "id":"s","cron":"* * * * *","overlapPolicy":"skip" """);
        await MakeAsync(host, "cancel_previous", """  "id":"c","cron":"* * * * *","overlapPolicy":"cancel_previous" """);
        await Eventually.TrueAsync(() => host.Runs.Of("skip").Count == 1 && host.Runs.Of("cancel_previous").Count == 1);
        await SettledAsync(host, "s", 1);
        await SettledAsync(host, "c", 1);

        host.Time.Advance(Minute);
        await SettledAsync(host, "s", 2);
        await SettledAsync(host, "c", 2);
        Assert.Single(host.Runs.Of("skip"));
        Assert.Equal("skipped", (await host.HistoryAsync("s"))[0].GetProperty("status").GetString());
        Assert.Equal(["cancelled", "running"], host.Runs.Of("cancel_previous").Select(run => host.Runs.StatusOf(run.RunId)));

        host.Runs.SetStatus(host.Runs.Of("skip")[0].RunId, "completed");
        host.Time.Advance(Minute);
        await SettledAsync(host, "s", 3);
        Assert.Equal(2, host.Runs.Of("skip").Count);
    }

    [Fact]
    public async Task A_delay_of_its_own_keeps_a_schedule_off_the_crowd()
    {
        await using var host = await StartAsync();
        foreach (var i in Enumerable.Range(0, 20))
            await host.CreateAsync($$"""  "id":"j{{i}}","cron":"{{MinuteAfter(1)}} * * * *","jitterMs":50000 """);

        host.Time.Advance(Minute);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            await Task.Yield();
            host.Time.Advance(TimeSpan.FromSeconds(1));
        }));
        await CountAsync(host, 20);
        var announced = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => (await host.GetAsync($"j{i}")).GetProperty("nextRunAt").GetDateTimeOffset()));
        Assert.True(announced.Distinct().Count() > 10);
        Assert.All(announced, at => Assert.InRange(at, SchedulerHost.Start.AddMinutes(61), SchedulerHost.Start.AddMinutes(62)));
    }

    [Fact]
    public async Task A_preview_names_the_next_slots()
    {
        await using var host = await StartAsync();
        await host.CreateAsync("""  "id":"v","cron":"30 1 * * *","timezone":"America/New_York" """);

        var preview = await host.Client.PreviewScheduleAsync(new PreviewScheduleRequest { Id = "v", Count = 100 }, await host.UserAsync());

        Assert.Equal(100, preview.Slots.Count);
        Assert.Equal(preview.Slots.Order(StringComparer.Ordinal), preview.Slots);
        Assert.Equal(100, preview.Slots.Select(slot => slot[..10]).Distinct().Count());
    }

    [Fact]
    public async Task An_engine_that_is_away_gets_the_run_when_it_is_back_and_a_refusal_is_final()
    {
        await using var host = await StartAsync();
        var failures = 3;
        host.Runs.OnCreate = request =>
        {
            if (request.Body.ToStringUtf8().Contains("refused", StringComparison.Ordinal))
                throw new ProtocolException(ProtocolError.Validation("The input is missing."));
            if (Interlocked.Decrement(ref failures) >= 0)
                throw new RpcException(new Status(StatusCode.Unavailable, "away"));
        };

        await host.CreateAsync("""  "id":"away","cron":"* * * * *" """);
        await host.CreateAsync("""  "id":"bad","cron":"* * * * *","payload":{"refused":true} """);
        await Eventually.TrueAsync(() =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(200));
            return host.Runs.All.Count == 1;
        });

        await SettledAsync(host, "bad", 1);
        var refused = (await host.HistoryAsync("bad"))[^1];
        Assert.Equal("failed", refused.GetProperty("status").GetString());
        Assert.Equal("validation_error: The input is missing.", refused.GetProperty("error").GetString());
    }

    private static async Task MakeAsync(SchedulerHost host, string workflowId, string members) => await host.Client.CreateScheduleAsync(
        new CreateScheduleRequest { Body = ByteString.CopyFromUtf8($$"""{"workflowId":"{{workflowId}}",{{members}} }""") }, await host.UserAsync());

    private static async Task CountAsync(SchedulerHost host, int runs)
    {
        await Eventually.TrueAsync(() => host.Runs.All.Count >= runs);
        Assert.Equal(runs, host.Runs.All.Count);
    }

    /// <summary>Until so many slots are decided on.</summary>
    private static Task SettledAsync(SchedulerHost host, string id, int slots) => Eventually.TrueAsync(async () =>
    {
        var history = await host.HistoryAsync(id);
        return history.Length >= slots && history.All(fire => fire.GetProperty("status").GetString() != "pending");
    });

    private static async Task<ProtocolError> RefusedAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).ToProtocolError();

    private Task<SchedulerHost> StartAsync() => SchedulerHost.StartAsync(store.Settings);
}
