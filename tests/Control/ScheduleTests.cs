using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Schedules of workflows of blocks, and the tick.</summary>
[Collection(OnEmbedded.Name)]
public sealed class ScheduleTests(EmbeddedHost host)
{
    private readonly Author _author = host.Author;

    [Theory]
    [InlineData("""{"n":9007199254740993}""")]
    [InlineData("[1,{}]")]
    [InlineData("\"text\"")]
    [InlineData("7")]
    public async Task The_payload_is_what_the_trigger_gives(string payload)
    {
        var id = await _author.CreateAsync(Op.Add("start", "trigger_schedule"), Op.Transform("t", "\"{{trigger}}\""), Op.Connect("start", "t"));
        var made = await CreateAsync(id, $"\"cron\":\"* * * * *\",\"payload\":{payload}");
        Assert.Equal((201, payload), (made.Status, made.Body.GetProperty("payload").GetRawText()));

        // The minute that has begun is due at once, by the scheduler or by the tick, and once.
        var schedule = made.Body.GetProperty("id").GetString()!;
        var ticks = await Task.WhenAll(TickAsync(), TickAsync());
        Assert.All(ticks, tick => Assert.Equal(200, tick.Status));
        var outputs = (await _author.UntilAsync(await FirstRunAsync(schedule), "completed")).GetProperty("output").GetProperty("outputs");
        Assert.Equal(payload, outputs.GetProperty("start").GetRawText());
        Assert.Equal(payload, outputs.GetProperty("t").GetProperty("result").GetRawText());
        Assert.Equal(204, (await _author.SendAsync(HttpMethod.Delete, $"/api/schedules/{schedule}", null)).Status);
        Assert.DoesNotContain(schedule, (await _author.GetAsync("/api/schedules?limit=200")).Body.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(404, (await _author.SendAsync(HttpMethod.Delete, $"/api/schedules/{schedule}", null)).Status);
    }

    [Fact]
    public async Task Two_ticks_at_once_fire_a_slot_once()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var made = await CreateAsync(id, "\"cron\":\"* * * * *\"");
        var schedule = made.Body.GetProperty("id").GetString()!;
        var ticks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TickAsync()));

        await FirstRunAsync(schedule);
        var minute = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
        var fires = (await _author.GetAsync($"/api/schedules/{schedule}/fires")).Body.GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(fires.Count, fires.Select(fire => fire.GetProperty("slot").GetString()).Distinct().Count());
        Assert.True(ticks.Sum(tick => tick.Body.GetProperty("fired").EnumerateArray().Count(fired => fired.GetProperty("scheduleId").GetString() == schedule)) <= fires.Count, minute);
    }

    [Fact]
    public async Task A_schedule_of_a_deleted_workflow_fails_at_each_tick_and_holds_nobody_up()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var at = DateTimeOffset.UtcNow.AddHours(1).ToString("o", CultureInfo.InvariantCulture);
        var schedule = (await CreateAsync(id, $"\"at\":\"{at}\"")).Body.GetProperty("id").GetString()!;
        await _author.SendAsync(HttpMethod.Delete, $"/api/workflows/{id}", null, ifMatch: "2");

        await _author.SendAsync(HttpMethod.Patch, $"/api/schedules/{schedule}", """{"at":null,"cron":"* * * * *"}""");
        await Testing.Eventually.TrueAsync(async () =>
            (await _author.GetAsync($"/api/schedules/{schedule}/fires")).Body.GetProperty("data").EnumerateArray().Any(fire => fire.GetProperty("status").GetString() == "failed"));
        Assert.Equal(200, (await TickAsync()).Status);
    }

    [Fact]
    public async Task Schedules_and_ticks_are_the_tenants_own()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var schedule = (await CreateAsync(id, "\"cron\":\"0 0 1 1 *\"")).Body.GetProperty("id").GetString()!;
        Assert.Equal("workflow_not_found", (await host.Stranger.PostAsync("/api/schedules", $$"""{"workflowId":"{{id}}","cron":"* * * * *"}""")).Error);
        Assert.Equal((404, 404), ((await host.Stranger.GetAsync($"/api/schedules/{schedule}")).Status, (await host.Stranger.SendAsync(HttpMethod.Delete, $"/api/schedules/{schedule}", null)).Status));
        Assert.DoesNotContain(schedule, (await host.Stranger.PostAsync("/api/admin/tick", "{}")).Body.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(403, (await host.Reader.PostAsync("/api/admin/tick", "{}")).Status);
    }

    [Theory]
    [InlineData("* * * *")]
    [InlineData("60 * * * *")]
    [InlineData("xx * * * *")]
    [InlineData("*/0 * * * *")]
    [InlineData("5-1 * * * *")]
    [InlineData("1,,2 * * * *")]
    [InlineData("* * * * 7")]
    public async Task A_cron_expression_that_is_none_is_refused(string cron)
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var reply = await CreateAsync(id, $"\"cron\":\"{cron}\"");
        Assert.Equal((400, "invalid_cron"), (reply.Status, reply.Error));
    }

    private Task<Reply> CreateAsync(string workflowId, string members) => _author.PostAsync("/api/schedules", $$"""{"workflowId":"{{workflowId}}",{{members}}}""");

    private Task<Reply> TickAsync() => _author.PostAsync("/api/admin/tick", "{}");

    private async Task<string> FirstRunAsync(string schedule)
    {
        JsonElement run = default;
        await Testing.Eventually.TrueAsync(async () =>
            (await _author.GetAsync($"/api/schedules/{schedule}")).Body.TryGetProperty("lastRunId", out run));
        return run.GetString()!;
    }
}
