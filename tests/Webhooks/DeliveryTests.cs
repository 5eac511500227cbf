using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Webhooks.Tests;

public sealed class DeliveryOnSqliteTests(OnSqlite stores) : DeliveryTests(stores), IClassFixture<OnSqlite>;

public sealed class DeliveryOnPostgreSqlTests(OnPostgreSql stores) : DeliveryTests(stores), IClassFixture<OnPostgreSql>;

public abstract class DeliveryTests(Stores stores)
{
    [Fact]
    public async Task An_event_arrives_signed_with_its_headers_and_twins()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var webhook = await host.RegisterAsync(receiver.Url);
        var committed = host.Feed.Commit("run-0");
        await Eventually.TrueAsync(() => receiver.All.Count == 1);

        var received = receiver.All[0];
        Assert.True(received.IsSignedWith(webhook.Secret));
        Assert.Equal("application/json", received.Header("Content-Type"));
        Assert.Matches(@"^openwop-webhook-dispatcher/\d+\.\d+\.\d+$", received.Header("User-Agent"));
        Assert.Equal(webhook.WebhookId, received.Header("X-openwop-Webhook-Id"));
        Assert.Equal("run.completed", received.Header("X-openwop-Event-Type"));
        Assert.Equal("v1", received.Header("X-openwop-Signature-Algorithm"));
        Assert.Equal(host.Time.GetUtcNow().ToUnixTimeSeconds().ToString(null as IFormatProvider), received.Header("X-openwop-Timestamp"));
        Assert.StartsWith("dlv_", received.Header("X-openwop-Delivery-Id"), StringComparison.Ordinal);
        Assert.Equal("1", received.Header("X-openwop-Delivery-Attempt"));
        foreach (var (name, value) in received.Headers.Where(header => header.Key.StartsWith("X-openwop-", StringComparison.OrdinalIgnoreCase)))
            Assert.Equal(value, received.Header("OpenWOP-" + name["X-openwop-".Length..]));

        Assert.Equal(["runId", "workspaceId", "type", "event"], received.Json.EnumerateObject().Select(member => member.Name));
        Assert.Equal("run-0", received.RunId);
        Assert.Equal("acme", received.Json.GetProperty("workspaceId").GetString());
        Assert.Equal("run.completed", received.Json.GetProperty("type").GetString());
        Assert.Equal(committed.Document.ToStringUtf8(), received.Json.GetProperty("event").GetRawText());
    }

    [Fact]
    public async Task Only_what_the_subscription_wants_arrives_and_only_from_its_tenant_and_mode()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        host.Feed.Commit("run-before");
        await host.RegisterAsync(receiver.Url, ["run.completed", "run.failed"], ["blue", "green"]);
        host.Feed.Commit("run-no-tags");
        host.Feed.Commit("run-other-tag", tags: "red");
        host.Feed.Commit("run-other-type", "run.started", tags: "blue");
        host.Feed.Commit("run-other-tenant", tenant: "other", tags: "blue");
        host.Feed.Commit("run-other-mode", isTest: true, tags: "blue");
        host.Feed.Commit("run-blue", tags: ["red", "blue"]);
        host.Feed.Commit("run-green", "run.failed", tags: "green");
        await Eventually.TrueAsync(() => receiver.All.Count == 2);
        Assert.Equal(["run-blue", "run-green"], receiver.All.Select(received => received.RunId).Order());
    }

    [Fact]
    public async Task Events_of_a_run_arrive_in_order_each_once()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        await host.RegisterAsync(receiver.Url, ["node.completed"]);
        for (var i = 0; i < 40; i++)
        {
            foreach (var run in new[] { "run-0", "run-1", "run-2" })
                host.Feed.Commit(run, "node.completed");
        }

        await Eventually.TrueAsync(() => receiver.All.Count >= 120);
        foreach (var run in receiver.All.GroupBy(received => received.RunId))
            Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), run.Select(received => received.Sequence));

        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM lanes") == 0);
        Assert.Equal(120, await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'delivered'"));
        Assert.Equal(120, await CountAsync(host, "SELECT count(*) FROM attempts"));
    }

    [Fact]
    public async Task A_failed_delivery_is_tried_again_signed_anew_under_the_same_identity_and_holds_up_its_run_only()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var failures = 2;
        receiver.Answer = (received, context) =>
        {
            if (received is { RunId: "run-0", Sequence: 0 } && Interlocked.Decrement(ref failures) >= 0)
                context.Response.StatusCode = 503;

            return Task.CompletedTask;
        };
        var webhook = await host.RegisterAsync(receiver.Url, ["node.completed"]);
        host.Feed.Commit("run-0", "node.completed");
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        host.Feed.Commit("run-0", "node.completed");
        host.Feed.Commit("run-1", "node.completed");
        await Eventually.TrueAsync(() => receiver.All.Count == 2);
        Assert.Equal("run-1", receiver.All[1].RunId);

        await AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), () => receiver.All.Count == 5);
        var first = receiver.All.Where(received => received is { RunId: "run-0", Sequence: 0 }).ToArray();
        Assert.Equal(["1", "2", "3"], first.Select(received => received.Header("X-openwop-Delivery-Attempt")));
        Assert.Single(first.Select(received => received.Header("X-openwop-Delivery-Id")).Distinct());
        Assert.Equal(3, first.Select(received => received.Header("X-openwop-Timestamp")).Distinct().Count());
        Assert.All(first, received => Assert.True(received.IsSignedWith(webhook.Secret)));
        Assert.Equal(1, receiver.All[^1].Sequence);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task Anything_but_success_is_a_failure_and_redirects_are_not_followed(int status)
    {
        await using var host = await WebhooksHost.StartAsync(settings: ["OPENWOP_WEBHOOK_MAX_ATTEMPTS=1"]);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };
        await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'dead'") == 1);
        Assert.Equal("/hook", Assert.Single(receiver.All).Path);
    }

    [Fact]
    public async Task Four_failures_open_the_circuit_and_a_probe_closes_it_an_hour_later()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var isDown = true;
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = isDown ? 500 : 204;
            return Task.CompletedTask;
        };
        await host.RegisterAsync(receiver.Url);
        for (var i = 0; i < 10; i++)
            host.Feed.Commit($"run-{i}");

        await AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), async () => (await StateAsync(host)).Blocked > 0);
        var (failures, blockedUntil) = await StateAsync(host);
        Assert.Equal(4, failures);
        Assert.Equal(4, receiver.All.Count);

        isDown = false;
        host.Time.SetUtcNow(DateTimeOffset.FromUnixTimeMilliseconds(blockedUntil));
        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'delivered'") == 10);
        Assert.Equal(0, (await StateAsync(host)).Failures);
        var opened = long.Parse(receiver.All[3].Header("X-openwop-Timestamp"), provider: null);
        Assert.All(receiver.All.Skip(4), received => Assert.InRange(long.Parse(received.Header("X-openwop-Timestamp"), provider: null) - opened, 3599, 3601));
    }

    [Fact]
    public async Task An_answer_that_does_not_come_within_five_seconds_is_a_failure()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        host.NetworkTime.Advance(TimeSpan.FromMilliseconds(4_999));
        Assert.Equal(0, await CountAsync(host, "SELECT count(*) FROM attempts"));
        host.NetworkTime.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM attempts WHERE error = 'timeout' AND duration_ms = 5000") == 1);
    }

    [Fact]
    public async Task Receivers_that_hang_or_fail_delay_nobody_else()
    {
        await using var host = await WebhooksHost.StartAsync([.. stores.Settings, "OPENWOP_WEBHOOK_SLOTS=16"]);
        await using var good = await Receiver.StartAsync();
        await using var hanging = await Receiver.StartAsync();
        await using var failing = await Receiver.StartAsync();
        hanging.Answer = (_, context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        failing.Answer = (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await host.RegisterAsync(hanging.Url);
        await host.RegisterAsync(hanging.Url);
        await host.RegisterAsync(failing.Url);
        await host.RegisterAsync(good.Url);
        for (var i = 0; i < 100; i++)
            host.Feed.Commit($"run-{i}");

        // The clock stands still: nobody's time runs out.
        await Eventually.TrueAsync(() => good.All.Count == 100);
        Assert.InRange(hanging.All.Count, 1, 8);
    }

    [Fact]
    public async Task What_was_given_up_is_a_dead_letter_with_its_attempts()
    {
        await using var host = await WebhooksHost.StartAsync([.. stores.Settings, "OPENWOP_WEBHOOK_MAX_ATTEMPTS=3"]);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await host.RegisterAsync(receiver.Url, ["node.completed"]);
        host.Feed.Commit("run-0", "node.completed");
        await AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), async () => await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'dead'") == 1);
        Assert.Equal(3, receiver.All.Count);
        Assert.Equal(3, await CountAsync(host, "SELECT count(*) FROM attempts WHERE status_code = 500 AND error = 'status'"));

        host.Time.Advance(TimeSpan.FromDays(8));
        await host.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal(0, await CountAsync(host, "SELECT count(*) FROM deliveries"));
        Assert.Equal(0, await CountAsync(host, "SELECT count(*) FROM attempts"));
    }

    [Fact]
    public async Task A_deleted_subscription_gets_nothing_any_more_and_leaves_nothing_behind()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var webhook = await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM attempts") == 1);
        await host.Client.UnregisterWebhookAsync(new UnregisterWebhookRequest { WebhookId = webhook.WebhookId }, await host.UserAsync());
        host.Feed.Commit("run-1");
        host.Time.Advance(TimeSpan.FromMinutes(10));
        foreach (var table in new[] { "deliveries", "lanes", "attempts" })
        {
            await Eventually.TrueAsync(async () =>
            {
                await host.Sweeper.SweepAsync(CancellationToken.None);
                return await CountAsync(host, $"SELECT count(*) FROM {table}") == 0;
            });
        }

        Assert.Single(receiver.All);
    }

    [Fact]
    public async Task What_happened_while_no_worker_was_there_is_delivered_afterwards_and_nothing_twice()
    {
        using var folder = new TempFolder();
        var feed = new FakeFeed();
        var settings = stores.Settings;
        await using var receiver = await Receiver.StartAsync();
        await using (var host = await WebhooksHost.StartAsync(settings, folder.Path, feed))
        {
            await host.RegisterAsync(receiver.Url);
            feed.Commit("run-0");
            await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'delivered'") == 1);
        }

        for (var i = 1; i < 20; i++)
            feed.Commit($"run-{i}");

        await using (var host = await WebhooksHost.StartAsync(settings, folder.Path, feed))
            await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM deliveries WHERE status = 'delivered'") == 20);

        Assert.Equal(20, receiver.All.Count);
        Assert.Equal(20, receiver.All.Select(received => received.Header("X-openwop-Delivery-Id")).Distinct().Count());
    }

    [Fact]
    public async Task A_feed_that_was_set_back_by_a_restore_is_followed_from_its_new_end()
    {
        using var folder = new TempFolder();
        var feed = new FakeFeed();
        var settings = stores.Settings;
        await using var receiver = await Receiver.StartAsync();
        await using (var host = await WebhooksHost.StartAsync(settings, folder.Path, feed))
        {
            await host.RegisterAsync(receiver.Url);
            for (var i = 0; i < 8; i++)
                feed.Commit("run-0");

            // Notes where the feed is now.
            await Eventually.TrueAsync(() => receiver.All.Count == 8);
            await host.RegisterAsync(new Uri(receiver.Url, "/later"));
        }

        var restored = new FakeFeed();
        restored.Commit("run-4");
        await using (var host = await WebhooksHost.StartAsync(settings, folder.Path, restored))
        {
            await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT coalesce(max(position), 0) FROM cursors") <= 1);
            restored.Commit("run-8");
            await Eventually.TrueAsync(() => receiver.All.Count(received => received.RunId == "run-8") == 2);
        }
    }

    [Fact]
    public async Task An_address_that_may_not_be_called_any_more_is_refused_when_the_delivery_is_due()
    {
        using var folder = new TempFolder();
        var feed = new FakeFeed();
        await using var receiver = await Receiver.StartAsync();
        await using (var open = await WebhooksHost.StartAsync(folder: folder.Path, feed: feed))
            await open.RegisterAsync(receiver.Url);

        feed.Commit("run-0");
        await using var closed = await WebhooksHost.StartAsync(folder: folder.Path, feed: feed, isOpen: false);
        await Eventually.TrueAsync(async () => await CountAsync(closed, "SELECT count(*) FROM attempts WHERE error = 'refused'") == 1);
        Assert.Empty(receiver.All);
    }

    internal static async Task<long> CountAsync(WebhooksHost host, string sql)
    {
        await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
        return await session.ScalarAsync<long>(sql);
    }

    [Fact]
    public async Task A_machine_that_slept_longer_than_its_tokens_live_delivers_when_it_wakes()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        await host.RegisterAsync(receiver.Url);

        // The clock of the wall has gone on, the timers have not.
        host.Time.AdjustTime(host.Time.GetUtcNow() + TimeSpan.FromHours(1));
        host.Feed.Commit("run-0");
        await AdvanceUntilAsync(host, TimeSpan.FromMilliseconds(50), () => receiver.All.Count == 1);
    }

    /// <summary>Moves the clock in steps, as long as the condition is not true.</summary>
    internal static Task AdvanceUntilAsync(WebhooksHost host, TimeSpan step, Func<bool> condition) => AdvanceUntilAsync(host, step, () => Task.FromResult(condition()));

    internal static Task AdvanceUntilAsync(WebhooksHost host, TimeSpan step, Func<Task<bool>> condition) => Eventually.TrueAsync(async () =>
    {
        if (await condition())
            return true;

        // Not while something is being sent: its time would run out.
        if (await CountAsync(host, "SELECT count(*) FROM lanes WHERE claim IS NOT NULL") == 0)
            host.Time.Advance(step);

        return false;
    });

    private static async Task<(long Failures, long Blocked)> StateAsync(WebhooksHost host) =>
        (await CountAsync(host, "SELECT consecutive_failures FROM subscriptions"), await CountAsync(host, "SELECT blocked_until FROM subscriptions"));
}
