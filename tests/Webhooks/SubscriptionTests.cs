using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;
using DeliveryMessage = OpenWop.Micro.Contracts.Webhooks.V1.Delivery;

namespace OpenWop.Micro.Webhooks.Tests;

public sealed class SubscriptionOnSqliteTests(OnSqlite stores) : SubscriptionTests(stores), IClassFixture<OnSqlite>;

public sealed class SubscriptionOnPostgreSqlTests(OnPostgreSql stores) : SubscriptionTests(stores), IClassFixture<OnPostgreSql>;

/// <summary>Looking after subscriptions and their deliveries.</summary>
public abstract class SubscriptionTests(Stores stores)
{
    [Fact]
    public async Task Subscriptions_are_listed_in_pages_for_their_owner_only()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        var url = new Uri("https://hooks.example.com/");
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add((await host.RegisterAsync(url, tags: ["blue"])).WebhookId);

        await host.RegisterAsync(url, tenant: "other");
        await host.RegisterAsync(url, isTest: true);
        var first = await host.Client.ListSubscriptionsAsync(new ListSubscriptionsRequest { Limit = 3 }, await host.UserAsync());
        var rest = await host.Client.ListSubscriptionsAsync(new ListSubscriptionsRequest { Limit = 3, After = first.Subscriptions[^1].WebhookId }, await host.UserAsync());
        Assert.Equal(ids.Order(StringComparer.Ordinal), first.Subscriptions.Concat(rest.Subscriptions).Select(subscription => subscription.WebhookId));
        var one = first.Subscriptions[0];
        Assert.Equal(("active", "closed", "https://hooks.example.com/"), (one.Status, one.Circuit, one.Url));
        Assert.Equal(["blue"], one.Tags);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_until_the_overlap_is_over()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var webhook = await host.RegisterAsync(receiver.Url);
        var rotated = await host.Client.RotateSecretAsync(new RotateSecretRequest { WebhookId = webhook.WebhookId, OverlapSeconds = 600 }, await host.UserAsync());
        Assert.NotEqual(webhook.Secret, rotated.Secret);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        Assert.True(receiver.All[0].IsSignedWith(rotated.Secret));
        Assert.True(receiver.All[0].IsSignedWith(webhook.Secret, "X-openwop-Signature-Previous"));

        // Not before the attempt has been settled: its time would run out with the overlap.
        await Eventually.TrueAsync(async () => (await SubscriptionAsync(host, webhook.WebhookId)).Pending == 0);
        host.Time.Advance(TimeSpan.FromMinutes(11));
        host.Feed.Commit("run-1");
        await DeliveryTests.AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), () => receiver.All.Count == 2);
        Assert.True(receiver.All[1].IsSignedWith(rotated.Secret));
        Assert.DoesNotContain("X-openwop-Signature-Previous", receiver.All[1].Headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_rotation_that_comes_again_shows_the_same_secret()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        var webhook = await host.RegisterAsync(new Uri("https://hooks.example.com/"));
        var request = new RotateSecretRequest { WebhookId = webhook.WebhookId, OverlapSeconds = 600, RequestId = "rotate-1" };
        var first = await host.Client.RotateSecretAsync(request, await host.UserAsync());
        Assert.Equal(first, await host.Client.RotateSecretAsync(request, await host.UserAsync()));
        request.RequestId = "rotate-2";
        Assert.NotEqual(first.Secret, (await host.Client.RotateSecretAsync(request, await host.UserAsync())).Secret);
    }

    [Fact]
    public async Task Secrets_move_to_a_new_key_and_the_old_one_can_go()
    {
        using var folder = new TempFolder();
        var settings = stores.Settings;
        await using var receiver = await Receiver.StartAsync();
        var (first, second) = (NewKey(), NewKey());
        RegisterWebhookReply webhook;
        byte[] before;
        await using (var host = await StartAsync(first))
        {
            webhook = await host.RegisterAsync(receiver.Url);
            before = await SecretAsync(host);
        }

        await using (var host = await StartAsync($"{second},{first}"))
            await Eventually.TrueAsync(async () => !(await SecretAsync(host)).SequenceEqual(before));

        await using (var host = await StartAsync(second))
        {
            host.Feed.Commit("run-0");
            await Eventually.TrueAsync(() => receiver.All.Count == 1);
        }

        Assert.True(receiver.All[0].IsSignedWith(webhook.Secret));

        Task<WebhooksHost> StartAsync(string keys) => WebhooksHost.StartAsync([.. settings, $"OPENWOP_SECRETS_KEY={keys}"], folder.Path);

        async Task<byte[]> SecretAsync(WebhooksHost host)
        {
            await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
            return (await session.ScalarAsync<byte[]>("SELECT secret FROM subscriptions WHERE webhook_id = $1", webhook.WebhookId))!;
        }

        static string NewKey() => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
    }

    [Fact]
    public async Task What_happens_during_a_pause_is_delivered_afterwards()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var webhook = await host.RegisterAsync(receiver.Url);
        var paused = await host.Client.SetPausedAsync(new SetPausedRequest { WebhookId = webhook.WebhookId, Paused = true }, await host.UserAsync());
        Assert.Equal("paused", paused.Status);
        host.Feed.Commit("run-0");
        await Eventually.TrueAsync(async () => (await SubscriptionAsync(host, webhook.WebhookId)).Pending == 1);
        Assert.Empty(receiver.All);
        await host.Client.SetPausedAsync(new SetPausedRequest { WebhookId = webhook.WebhookId }, await host.UserAsync());
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        await Eventually.TrueAsync(async () => (await SubscriptionAsync(host, webhook.WebhookId)).Pending == 0);
    }

    [Fact]
    public async Task A_test_delivery_arrives_whatever_events_are_subscribed_to()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var webhook = await host.RegisterAsync(receiver.Url);
        var sent = await host.Client.SendTestAsync(new SendTestRequest { WebhookId = webhook.WebhookId }, await host.UserAsync());
        await Eventually.TrueAsync(() => receiver.All.Count == 1);
        Assert.Equal(("webhook.test", sent.DeliveryId), (receiver.All[0].Header("OpenWOP-Event-Type"), receiver.All[0].Header("OpenWOP-Delivery-Id")));
        Assert.Equal(sent.Body.ToByteArray(), receiver.All[0].Body);
        Assert.True(receiver.All[0].IsSignedWith(webhook.Secret));
    }

    [Fact]
    public async Task Deliveries_tell_of_their_attempts_and_a_dead_letter_can_be_replayed()
    {
        await using var host = await WebhooksHost.StartAsync([.. stores.Settings, "OPENWOP_WEBHOOK_MAX_ATTEMPTS=2"]);
        await using var receiver = await Receiver.StartAsync();
        var isDown = true;
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = isDown ? 503 : 200;
            return Task.CompletedTask;
        };
        var webhook = await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        DeliveryMessage? dead = null;
        await DeliveryTests.AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), async () =>
        {
            dead = await ListAsync(host, webhook.WebhookId, "dead") is [var letter] ? letter : null;
            return dead is not null;
        });
        Assert.Equal(2, dead!.AttemptCount);
        var whole = await DeliveryAsync(host, webhook.WebhookId, dead.DeliveryId);
        Assert.Equal([(1, 503, "status"), (2, 503, "status")], whole.Attempts.Select(attempt => (attempt.Number, attempt.StatusCode, attempt.Error)));
        Assert.Equal(receiver.All[0].Body, whole.Body.ToByteArray());

        isDown = false;
        var replay = new ReplayDeliveryRequest { WebhookId = webhook.WebhookId, DeliveryId = dead.DeliveryId };
        Assert.Equal("pending", (await host.Client.ReplayDeliveryAsync(replay, await host.UserAsync())).Status);
        await Eventually.TrueAsync(async () => (await DeliveryAsync(host, webhook.WebhookId, dead.DeliveryId)).Status == "delivered");
        Assert.Equal("3", receiver.All[^1].Header("X-openwop-Delivery-Attempt"));
        await IsRefusedAsync(async () => await host.Client.ReplayDeliveryAsync(replay, await host.UserAsync()), "delivery_not_dead");
        await IsRefusedAsync(async () => await host.Client.ReplayDeliveryAsync(replay, await host.UserAsync("other")), "not_found");
    }

    [Fact]
    public async Task Deliveries_are_listed_newest_first_in_pages()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings);
        await using var receiver = await Receiver.StartAsync();
        var webhook = await host.RegisterAsync(receiver.Url);
        for (var i = 0; i < 7; i++)
        {
            host.Feed.Commit($"run-{i}");
            if (i % 2 == 0)
                host.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await Eventually.TrueAsync(async () => (await ListAsync(host, webhook.WebhookId, "delivered")).Count == 7);
        var pages = new List<DeliveryMessage>();
        var request = new ListDeliveriesRequest { WebhookId = webhook.WebhookId, Limit = 3 };
        do
        {
            var page = await host.Client.ListDeliveriesAsync(request, await host.UserAsync());
            pages.AddRange(page.Deliveries);
            request.Before = page.Next;
        }
        while (request.Before.Length > 0);

        Assert.Equal(7, pages.Select(delivery => delivery.DeliveryId).Distinct().Count());
        Assert.Equal(pages.Select(delivery => delivery.CreatedAt).OrderDescending(), pages.Select(delivery => delivery.CreatedAt));
    }

    [Fact]
    public async Task A_subscription_that_fails_too_often_has_failed_for_good()
    {
        await using var host = await WebhooksHost.StartAsync([.. stores.Settings, "OPENWOP_WEBHOOK_MAX_FAILURES=2"]);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var webhook = await host.RegisterAsync(receiver.Url);
        host.Feed.Commit("run-0");
        await DeliveryTests.AdvanceUntilAsync(host, TimeSpan.FromSeconds(1), async () => (await SubscriptionAsync(host, webhook.WebhookId)).Status == "failed");
        await IsRefusedAsync(async () => await host.Client.SetPausedAsync(new SetPausedRequest { WebhookId = webhook.WebhookId }, await host.UserAsync()), "webhook_failed");
        await IsRefusedAsync(async () => await host.Client.SendTestAsync(new SendTestRequest { WebhookId = webhook.WebhookId }, await host.UserAsync()), "webhook_failed");
        await host.Sweeper.SweepAsync(CancellationToken.None);
        Assert.Equal("dead", Assert.Single(await ListAsync(host, webhook.WebhookId, "")).Status);
    }

    private static async Task<Subscription> SubscriptionAsync(WebhooksHost host, string id) =>
        await host.Client.GetSubscriptionAsync(new GetSubscriptionRequest { WebhookId = id }, await host.UserAsync());

    private static async Task<DeliveryMessage> DeliveryAsync(WebhooksHost host, string webhookId, string deliveryId) =>
        await host.Client.GetDeliveryAsync(new GetDeliveryRequest { WebhookId = webhookId, DeliveryId = deliveryId }, await host.UserAsync());

    private static async Task<IReadOnlyList<DeliveryMessage>> ListAsync(WebhooksHost host, string webhookId, string status) => [.. (await host.Client.ListDeliveriesAsync(
        new ListDeliveriesRequest { WebhookId = webhookId, Status = status, Limit = 100 }, await host.UserAsync())).Deliveries];

    private static async Task IsRefusedAsync(Func<Task> call, string code) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).ToProtocolError().Code.Name);
}
