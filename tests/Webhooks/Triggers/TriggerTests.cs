using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Webhooks.Tests.Triggers;

public sealed class TriggerTestsOnSqlite(OnSqlite stores) : TriggerTests(stores), IClassFixture<OnSqlite>;

public sealed class TriggerTestsOnPostgreSql(OnPostgreSql stores) : TriggerTests(stores), IClassFixture<OnPostgreSql>
{
    [Fact]
    public async Task Workers_that_share_the_events_and_are_stopped_in_the_middle_start_each_run_once()
    {
        await using var first = await EngineHost.StartAsync(Settings);
        await using var second = await EngineHost.StartAsync(Settings, before: first);
        var trigger = await first.CreateTriggerAsync(OnCompletion + ",\"ratePerMinute\":6000");
        var lost = 0;
        first.Engine.OnCreated = () =>
        {
            // Now and then the run is there, and nobody hears of it.
            if (Interlocked.Increment(ref lost) % 7 == 0)
                throw new RpcException(new Status(StatusCode.Unavailable, "Lost on the way."));
        };
        for (var i = 0; i < 100; i++)
        {
            first.Feed.Commit($"run-{i}");
            if (i == 50)
                await second.StopAsync();
        }

        await first.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(first.Engine.Runs.Count >= 100));
        await first.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => (await first.FiringsAsync(trigger)).All(firing => firing.GetProperty("status").GetString() == "started"));
        Assert.Equal(100, first.Engine.Runs.Count);
        Assert.Equal(100, (await first.FiringsAsync(trigger)).Length);
    }
}

/// <summary>Runs that are started because of events of others.</summary>
public abstract class TriggerTests(Stores stores)
{
    protected const string OnCompletion = "\"on\":{\"events\":[\"run.completed\"]}";

    protected string[] Settings => field ??= stores.Settings;

    [Fact]
    public async Task An_event_starts_one_run_that_says_where_it_comes_from()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion + ",\"tags\":[\"followed\"]", isTest: true);
        var @event = host.Feed.Commit(new FeedEvent { RunId = "run-7", Type = "run.completed", Tenant = "acme", Test = true, WorkflowId = "source", Lineage = { "trg-before" } });

        var request = await SingleRunAsync(host);
        Assert.Equal(("acme", true), (request.ActingFor.Tenant, request.ActingFor.Test));
        Assert.NotEmpty(request.ActingFor.Principal);
        Assert.Equal(["trg-before", trigger.GetProperty("id").GetString()], request.Cause.Lineage);
        var body = JsonElement.Parse(request.Body.Span);
        Assert.Equal("w", body.GetProperty("workflowId").GetString());
        Assert.Equal("followed", body.GetProperty("tags")[0].GetString());
        var inputs = body.GetProperty("inputs");
        Assert.Equal(("run-7", "source", "run.completed"), (inputs.GetProperty("runId").GetString(), inputs.GetProperty("workflowId").GetString(), inputs.GetProperty("type").GetString()));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(@event.Document.Span), inputs.GetProperty("event")));
        var source = body.GetProperty("metadata").GetProperty("trigger");
        Assert.Equal(("event", "run-7"), (source.GetProperty("source").GetString(), source.GetProperty("sourceRunId").GetString()));
        Assert.Equal(request.Cause.CausationId, source.GetProperty("deliveryId").GetString());
    }

    [Fact]
    public async Task Only_events_that_it_names_fire_it_and_only_those_after_its_making()
    {
        await using var host = await StartAsync();
        host.Feed.Commit("run-before");
        await host.CreateTriggerAsync("""
            "on":{"events":["run.completed","run.failed"],"workflowId":"source","tags":["blue"]},"inputs":{"who":"runId","what":"event:/payload/text","none":"event:/payload/nothing"}
            """);
        host.Feed.Commit("run-other-type", "run.started", tags: "blue");
        host.Feed.Commit("run-no-tag");
        host.Feed.Commit("run-other-tenant", tenant: "other", tags: "blue");
        host.Feed.Commit("run-other-mode", isTest: true, tags: "blue");
        host.Feed.Commit(new FeedEvent { RunId = "run-other-workflow", Type = "run.completed", Tenant = "acme", Tags = { "blue" }, WorkflowId = "another" });
        host.Feed.Commit("run-one", tags: ["red", "blue"]);
        host.Feed.Commit("run-two", "run.failed", tags: "blue");

        await Eventually.TrueAsync(() => host.Engine.Runs.Count >= 2);
        Assert.Equal(
            ["""{"who":"run-one","what":"Zoë"}""", """{"who":"run-two","what":"Zoë"}"""],
            host.Engine.Runs.Select(run => JsonElement.Parse(run.Body.Span).GetProperty("inputs")).Select(inputs => $$"""{"who":"{{inputs.GetProperty("who")}}","what":"{{inputs.GetProperty("what")}}"}""").Order());
        Assert.All(host.Engine.Runs, run => Assert.Equal(2, JsonElement.Parse(run.Body.Span).GetProperty("inputs").EnumerateObject().Count()));
    }

    [Fact]
    public async Task A_write_to_its_channel_fires_it_and_no_other()
    {
        await using var host = await StartAsync();
        await host.CreateTriggerAsync("""
            "on":{"channel":"orders"},"inputs":{"value":"event:/payload/value"}
            """);
        host.Feed.Commit(Write("run-1"), """{"channel":"others","value":1}""");
        host.Feed.Commit(Write("run-1"), """{"channel":"orders","value":2}""");

        var body = JsonElement.Parse((await SingleRunAsync(host)).Body.Span);
        Assert.Equal("2", body.GetProperty("inputs").GetProperty("value").GetRawText());
        Assert.Equal("channel", body.GetProperty("metadata").GetProperty("trigger").GetProperty("source").GetString());

        static FeedEvent Write(string runId) => new() { RunId = runId, Type = "channel.written", Tenant = "acme", WorkflowId = "source" };
    }

    [Fact]
    public async Task It_does_not_fire_itself_unless_it_says_so_and_never_in_a_long_row()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion);
        var id = trigger.GetProperty("id").GetString()!;
        host.Feed.Commit(Run("run-own-workflow", "w"));
        host.Feed.Commit(Run("run-own-making", "source", "trg-other", id));
        host.Feed.Commit(Run("run-deep", "source", [.. Enumerable.Range(0, 8).Select(i => $"trg-{i}")]));
        host.Feed.Commit(Run("run-good", "source", [.. Enumerable.Range(0, 7).Select(i => $"trg-{i}")]));
        await Eventually.TrueAsync(async () => (await host.FiringsAsync(trigger)).Count(firing => firing.GetProperty("status").GetString() != "pending") == 2);
        Assert.Single(host.Engine.Runs);
        var skipped = Assert.Single(await host.FiringsAsync(trigger), firing => firing.GetProperty("status").GetString() == "skipped");
        Assert.Equal("run-deep", skipped.GetProperty("source").GetProperty("runId").GetString());

        var wanting = await host.CreateTriggerAsync(OnCompletion + ",\"allowSelf\":true");
        host.Feed.Commit(Run("run-wanted", "w", wanting.GetProperty("id").GetString()!));
        await Eventually.TrueAsync(() => host.Engine.Runs.Count == 2);
        await IsRefusedAsync(() => host.CreateTriggerAsync("\"on\":{\"events\":[\"run.completed\"],\"workflowId\":\"w\"}"), "validation_error");

        static FeedEvent Run(string runId, string workflowId, params string[] lineage) =>
            new() { RunId = runId, Type = "run.completed", Tenant = "acme", WorkflowId = workflowId, Lineage = { lineage } };
    }

    [Fact]
    public async Task Its_rate_holds_runs_back_and_loses_none()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion + ",\"ratePerMinute\":2");
        for (var i = 0; i < 4; i++)
            host.Feed.Commit($"run-{i}");

        await Eventually.TrueAsync(async () => (await host.FiringsAsync(trigger)).Count(firing => firing.GetProperty("status").GetString() == "started") == 2);
        Assert.Equal(2, host.Engine.Runs.Count);
        host.Time.Advance(TimeSpan.FromSeconds(31));
        await Eventually.TrueAsync(() => host.Engine.Runs.Count == 3);
        host.Time.Advance(TimeSpan.FromSeconds(31));
        await Eventually.TrueAsync(() => host.Engine.Runs.Count == 4);
    }

    [Fact]
    public async Task What_would_wait_for_more_than_an_hour_is_skipped()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion + ",\"ratePerMinute\":1");
        for (var i = 0; i < 64; i++)
            host.Feed.Commit($"run-{i}");

        await Eventually.TrueAsync(async () => (await host.FiringsAsync(trigger)).Length == 64);
        Assert.Equal(3, (await host.FiringsAsync(trigger)).Count(firing => firing.GetProperty("status").GetString() == "skipped"));
    }

    [Fact]
    public async Task An_engine_that_is_away_is_asked_again_and_a_lost_answer_makes_no_second_run()
    {
        await using var host = await StartAsync();
        var calls = 0;
        host.Engine.OnCreate = () => Fail(Interlocked.Increment(ref calls) <= 2);
        host.Engine.OnCreated = () => Fail(calls == 3);
        var trigger = await host.CreateTriggerAsync(OnCompletion);
        host.Feed.Commit("run-1");

        await host.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => (await host.FiringsAsync(trigger)) is [var firing] && firing.GetProperty("status").GetString() == "started");
        Assert.Single(host.Engine.Runs);
        var started = Assert.Single(await host.FiringsAsync(trigger));
        Assert.StartsWith("run-", started.GetProperty("runId").GetString(), StringComparison.Ordinal);
        Assert.Equal(4, started.GetProperty("attempts").GetInt32());

        static void Fail(bool fails)
        {
            if (fails)
                throw new RpcException(new Status(StatusCode.Unavailable, "Away."));
        }
    }

    [Fact]
    public async Task A_refusal_is_final_until_somebody_asks_for_another_try()
    {
        await using var host = await StartAsync();
        host.Engine.OnCreate = () => throw new ProtocolException(ProtocolError.Validation("The workflow wants other inputs.", "inputs"));
        var trigger = await host.CreateTriggerAsync(OnCompletion);
        host.Feed.Commit("run-1");
        await Eventually.TrueAsync(async () => await StatusAsync() == "failed");
        var failed = Assert.Single(await host.FiringsAsync(trigger));
        Assert.Equal("validation_error: The workflow wants other inputs.", failed.GetProperty("reason").GetString());

        host.Engine.OnCreate = () => { };
        var replay = new ReplayFiringRequest { Id = trigger.GetProperty("id").GetString(), FiringId = failed.GetProperty("id").GetString() };
        await IsRefusedAsync(async () => await host.Triggers.ReplayFiringAsync(replay, await host.UserAsync("other")), "not_found");
        await host.Triggers.ReplayFiringAsync(replay, await host.UserAsync());
        await Eventually.TrueAsync(async () => await StatusAsync() == "started");
        Assert.Single(host.Engine.Runs);
        await IsRefusedAsync(async () => await host.Triggers.ReplayFiringAsync(replay, await host.UserAsync()), "delivery_not_dead");

        async Task<string?> StatusAsync() => (await host.FiringsAsync(trigger)) is [var firing] ? firing.GetProperty("status").GetString() : null;
    }

    [Fact]
    public async Task What_happens_during_a_pause_starts_nothing_also_afterwards()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion);
        Assert.Equal("paused", (await SetPausedAsync(true)).GetProperty("state").GetString());
        host.Feed.Commit("run-1");
        Assert.Equal("active", (await SetPausedAsync(false)).GetProperty("state").GetString());
        host.Feed.Commit("run-1");

        // The events of one run come in order.
        await Eventually.TrueAsync(() => host.Engine.Runs.Count == 1);
        Assert.Equal(1, Assert.Single(await host.FiringsAsync(trigger)).GetProperty("source").GetProperty("sequence").GetInt64());

        async Task<JsonElement> SetPausedAsync(bool isPaused) => JsonElement.Parse((await host.Triggers.SetTriggerPausedAsync(
            new SetTriggerPausedRequest { Id = trigger.GetProperty("id").GetString(), Paused = isPaused }, await host.UserAsync())).Json.Span);
    }

    [Fact]
    public async Task What_waits_when_its_trigger_is_paused_or_deleted_starts_nothing()
    {
        await using var host = await StartAsync();
        var paused = await host.CreateTriggerAsync(OnCompletion + ",\"ratePerMinute\":1");
        var deleted = await host.CreateTriggerAsync(OnCompletion + ",\"ratePerMinute\":1");
        host.Feed.Commit("run-1");
        host.Feed.Commit("run-1");
        await Eventually.TrueAsync(async () => host.Engine.Runs.Count == 2 && (await host.FiringsAsync(paused)).Length == 2 && (await host.FiringsAsync(deleted)).Length == 2);
        await host.Triggers.SetTriggerPausedAsync(new SetTriggerPausedRequest { Id = paused.GetProperty("id").GetString(), Paused = true }, await host.UserAsync());
        await host.Triggers.DeleteTriggerAsync(new DeleteTriggerRequest { Id = deleted.GetProperty("id").GetString() }, await host.UserAsync());
        host.Time.Advance(TimeSpan.FromMinutes(2));

        await Eventually.TrueAsync(async () => (await host.FiringsAsync(paused)).Any(firing => firing.GetProperty("status").GetString() == "skipped"));
        await Eventually.TrueAsync(async () => await CountAsync(host, deleted.GetProperty("id").GetString()!) == 1);
        Assert.Equal(2, host.Engine.Runs.Count);

        static async Task<long> CountAsync(EngineHost host, string id)
        {
            await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
            return await session.ScalarAsync<long>("SELECT count(*) FROM firings WHERE trigger_id = $1", id);
        }
    }

    [Fact]
    public async Task A_change_replaces_the_members_that_it_names()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion + ",\"tags\":[\"a\"]");
        var changed = await ChangeAsync("""{"on":{"events":["run.failed"]},"tags":null,"ratePerMinute":5}""");
        Assert.Equal(("run.failed", 5), (changed.GetProperty("on").GetProperty("events")[0].GetString(), changed.GetProperty("ratePerMinute").GetInt32()));
        Assert.False(changed.TryGetProperty("tags", out _));
        host.Feed.Commit("run-1");
        host.Feed.Commit("run-1", "run.failed");
        await SingleRunAsync(host);
        Assert.Equal("run.failed", Assert.Single(await host.FiringsAsync(trigger)).GetProperty("source").GetProperty("type").GetString());
        await IsRefusedAsync(() => ChangeAsync("""{"workflowId":"none"}"""), "workflow_not_found");
        await IsRefusedAsync(() => ChangeAsync("""{"on":null}"""), "validation_error");

        async Task<JsonElement> ChangeAsync(string body) => JsonElement.Parse((await host.Triggers.UpdateTriggerAsync(
            new UpdateTriggerRequest { Id = trigger.GetProperty("id").GetString(), Body = ByteString.CopyFromUtf8(body) }, await host.UserAsync())).Json.Span);
    }

    [Theory]
    [InlineData("\"on\":null")]
    [InlineData("\"on\":[]")]
    [InlineData("\"on\":{}")]
    [InlineData("\"on\":{\"events\":[]}")]
    [InlineData("\"on\":{\"events\":[\"a\"],\"channel\":\"b\"}")]
    [InlineData("\"on\":{\"events\":[1]}")]
    [InlineData("\"on\":{\"channel\":\"\"}")]
    [InlineData("\"on\":{\"channel\":\"c\"},\"ratePerMinute\":0")]
    [InlineData("\"on\":{\"channel\":\"c\"},\"allowSelf\":1")]
    [InlineData("\"on\":{\"channel\":\"c\"},\"inputs\":{\"a\":\"header:b\"}")]
    [InlineData("\"on\":{\"channel\":\"c\"},\"inputs\":{\"a\":\"event:b\"}")]
    public async Task A_body_that_makes_no_sense_is_refused(string members)
    {
        await using var host = await EngineHost.StartAsync([]);
        await IsRefusedAsync(() => host.CreateTriggerAsync(members), "validation_error");
    }

    [Fact]
    public async Task Triggers_belong_to_a_tenant_and_a_mode_and_a_request_makes_one()
    {
        await using var host = await StartAsync();
        var trigger = await host.CreateTriggerAsync(OnCompletion, requestId: "one");
        Assert.Equal(trigger.GetRawText(), (await host.CreateTriggerAsync(OnCompletion, requestId: "one")).GetRawText());
        host.Time.Advance(TimeSpan.FromMilliseconds(1));
        await host.CreateTriggerAsync(OnCompletion, isTest: true);
        await host.CreateTriggerAsync(OnCompletion);

        var first = await host.Triggers.ListTriggersAsync(new ListTriggersRequest { Limit = 1 }, await host.UserAsync());
        Assert.Equal(trigger.GetRawText(), JsonElement.Parse(Assert.Single(first.Triggers).Span).GetRawText());
        var rest = await host.Triggers.ListTriggersAsync(new ListTriggersRequest { After = first.Next, Limit = 1 }, await host.UserAsync());
        Assert.Equal((1, ""), (rest.Triggers.Count, rest.Next));

        var id = trigger.GetProperty("id").GetString();
        foreach (var user in new[] { await host.UserAsync("other"), await host.UserAsync(isTest: true) })
        {
            await IsRefusedAsync(async () => await host.Triggers.GetTriggerAsync(new GetTriggerRequest { Id = id }, user), "not_found");
            await IsRefusedAsync(async () => await host.Triggers.SetTriggerPausedAsync(new SetTriggerPausedRequest { Id = id, Paused = true }, user), "not_found");
            await IsRefusedAsync(async () => await host.Triggers.DeleteTriggerAsync(new DeleteTriggerRequest { Id = id }, user), "not_found");
            await IsRefusedAsync(async () => await host.Triggers.ListFiringsAsync(new ListFiringsRequest { Id = id }, user), "not_found");
        }

        await IsRefusedAsync(() => host.CreateTriggerAsync(OnCompletion, tenant: "other"), "workflow_not_found");
    }

    private Task<EngineHost> StartAsync() => EngineHost.StartAsync(Settings);

    private static async Task<CreateRunRequest> SingleRunAsync(EngineHost host)
    {
        await Eventually.TrueAsync(() => host.Engine.Runs.Count > 0);
        return Assert.Single(host.Engine.Runs);
    }

    private static async Task IsRefusedAsync(Func<Task> call, string code) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).ToProtocolError().Code.Name);
}
