using System.Net;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.V1;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>Receivers of the tests are on this machine.</summary>
public sealed class EmbeddedWebhookInstallation() : InstallationFixture(Form.Embedded)
{
    protected override Task<(string Name, string Value)[]> SettingsAsync() =>
        Task.FromResult<(string, string)[]>([("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"), ("OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS", "1")]);
}

public sealed class ServerWebhookInstallation : ServerInstallation
{
    protected override async Task<(string Name, string Value)[]> SettingsAsync() =>
        [.. await base.SettingsAsync(), ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"), ("OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS", "1"), ("OPENWOP_CLAIM_TTL_MS", "2000")];
}

public sealed class EmbeddedWebhookTests(EmbeddedWebhookInstallation installation) : WebhookTests(installation), IClassFixture<EmbeddedWebhookInstallation>
{
    protected override string Process => "standalone";
}

public sealed class ServerWebhookTests(ServerWebhookInstallation installation) : WebhookTests(installation), IClassFixture<ServerWebhookInstallation>
{
    protected override string Process => "webhooks";
}

/// <summary>Webhooks over the wire, with the real engine behind them.</summary>
public abstract class WebhookTests(InstallationFixture fixture)
{
    /// <summary>The process that delivers.</summary>
    protected abstract string Process { get; }

    [Fact]
    public async Task Events_of_a_run_arrive_signed_and_in_order_as_the_log_has_them()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var client = await ClientAsync();
        var webhook = await RegisterAsync(client, receiver.UrlOf("all"), "run.started", "node.started", "node.completed", "run.completed");
        var runId = await client.CreateAsync("hooked");
        await client.UntilAsync(runId, "completed");
        await Eventually.TrueAsync(() => receiver.Taken.Count(delivery => delivery.RunId == runId) == 6);

        var log = (await client.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).GetProperty("events").EnumerateArray()
            .Where(document => document.GetProperty("type").GetString() is "run.started" or "node.started" or "node.completed" or "run.completed");
        var taken = receiver.Taken.Where(delivery => delivery.RunId == runId).ToArray();
        Assert.Equal(log.Select(document => document.GetRawText()), taken.Select(delivery => delivery.Event.GetRawText()));
        Assert.All(taken, delivery => Assert.True(delivery.IsSignedWith(webhook.Secret)));
        await DeleteAsync(client, webhook.Id);
    }

    [Fact]
    public async Task The_history_that_a_fork_has_copied_is_not_told_again()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var client = await ClientAsync();
        var webhook = await RegisterAsync(client, receiver.UrlOf("all"), "run.started", "node.completed", "run.completed");
        var runId = await client.CreateAsync("hooked");
        await client.UntilAsync(runId, "completed");
        var log = (await client.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).GetProperty("events").EnumerateArray().ToArray();
        var boundary = log.First(document => document.GetProperty("type").GetString() == "node.completed").GetProperty("sequence").GetInt64() + 1;
        using var forked = await client.SendAsync("POST", $"/v1/runs/{runId}:fork", $$"""{"mode":"branch","fromSeq":{{boundary}}}""");
        var forkId = JsonElement.Parse(await forked.Content.ReadAsStringAsync()).GetProperty("runId").GetString()!;
        await client.UntilAsync(forkId, "completed");
        await Eventually.TrueAsync(() => receiver.Taken.Any(delivery => delivery.RunId == forkId && delivery.Type == "run.completed"));
        Assert.All(receiver.Taken.Where(delivery => delivery.RunId == forkId), delivery => Assert.True(delivery.Sequence >= boundary));
        Assert.Single(receiver.Taken, delivery => delivery.Type == "run.started");
        await DeleteAsync(client, webhook.Id);
    }

    [Fact]
    public async Task Nobody_hears_of_the_runs_of_others()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var client = await ClientAsync();
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        using var live = new Client(fixture.Installation.BaseUrl, Installation.LiveKey);
        using var reader = new Client(fixture.Installation.BaseUrl, Installation.ReaderKey);
        var mine = await RegisterAsync(client, receiver.UrlOf("mine"), "run.completed");
        var theirs = await RegisterAsync(other, receiver.UrlOf("theirs"), "run.completed");
        var lives = await RegisterAsync(live, receiver.UrlOf("lives"), "run.completed");
        await (await reader.SendAsync("POST", "/v1/webhooks", "{}")).IsErrorAsync(403, "forbidden");
        await (await other.SendAsync("DELETE", "/v1/webhooks/" + mine.Id)).IsErrorAsync(404, "not_found");

        await client.CreateAsync("hooked");
        await Eventually.TrueAsync(() => receiver.TakenBy("mine").Count == 1);
        Assert.Empty(receiver.TakenBy("theirs"));
        Assert.Empty(receiver.TakenBy("lives"));
        await DeleteAsync(client, mine.Id);
        await DeleteAsync(other, theirs.Id);
        await DeleteAsync(live, lives.Id);
    }

    [Fact]
    public async Task A_retried_registration_makes_one_webhook_and_shows_the_same_secret_over_either_transport()
    {
        using var client = await ClientAsync();
        const string Body = """{"url":"https://hooks.example.com/a","events":["run.completed"]}""";
        var key = Guid.NewGuid().ToString();
        using var first = await client.SendAsync("POST", "/v1/webhooks", Body, ("Idempotency-Key", key));
        using var second = await client.SendAsync("POST", "/v1/webhooks", Body, ("Idempotency-Key", key));
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        var text = await first.Content.ReadAsStringAsync();
        Assert.Equal(text, await second.Content.ReadAsStringAsync());
        Assert.Equal("no-store", first.Headers.CacheControl?.ToString());
        Assert.Equal(["webhookId", "secret", "secretFingerprint", "signatureAlgorithm"], JsonElement.Parse(text).EnumerateObject().Select(member => member.Name));

        Metadata headers = client.GrpcHeaders;
        headers.Add("idempotency-key", key);
        var third = await client.Engine.RegisterWebhookAsync(new RegisterWebhookRequest { Body = ByteString.CopyFromUtf8(Body) }, headers);
        Assert.Equal(JsonElement.Parse(text).GetProperty("secret").GetString(), third.Secret);
        await client.Engine.UnregisterWebhookAsync(new UnregisterWebhookRequest { WebhookId = third.WebhookId }, client.GrpcHeaders);
        await (await client.SendAsync("DELETE", "/v1/webhooks/" + third.WebhookId)).IsErrorAsync(404, "not_found");
    }

    [Fact]
    public async Task Webhooks_are_looked_after_on_the_authoring_plane()
    {
        await using var receiver = await HookReceiver.StartAsync();
        using var client = await ClientAsync();
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        var webhook = await RegisterAsync(client, receiver.UrlOf("mine"), "run.completed");
        var path = "/api/webhooks/subscriptions/" + webhook.Id;
        Assert.Contains((await client.GetAsync("/api/webhooks/subscriptions")).GetProperty("data").EnumerateArray(), entry => entry.GetProperty("id").GetString() == webhook.Id);
        Assert.Equal("active", (await client.GetAsync(path)).GetProperty("status").GetString());
        using (var foreign = await other.SendAsync("GET", path))
            Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);

        using (var tested = await client.SendAsync("POST", path + "/test"))
            Assert.Equal(HttpStatusCode.Accepted, tested.StatusCode);

        await Eventually.TrueAsync(() => receiver.TakenBy("mine").Count == 1);
        var id = receiver.TakenBy("mine")[0].Id;
        await Eventually.TrueAsync(async () => (await client.GetAsync($"{path}/deliveries/{id}")).GetProperty("status").GetString() == "delivered");
        var delivery = await client.GetAsync($"{path}/deliveries/{id}");
        Assert.Equal(receiver.TakenBy("mine")[0].Body, System.Text.Encoding.UTF8.GetBytes(delivery.GetProperty("body").GetString()!));
        Assert.Equal(200, Assert.Single(delivery.GetProperty("attempts").EnumerateArray()).GetProperty("statusCode").GetInt32());
        Assert.Single((await client.GetAsync(path + "/deliveries?status=delivered")).GetProperty("data").EnumerateArray());
        using (var replay = await client.SendAsync("POST", $"{path}/deliveries/{id}/replay"))
            Assert.Equal(HttpStatusCode.Conflict, replay.StatusCode);

        using (var rotated = await client.SendAsync("POST", path + "/rotate-secret", """{"overlapSeconds":60}"""))
            Assert.NotEqual(webhook.Secret, JsonElement.Parse(await rotated.Content.ReadAsStringAsync()).GetProperty("secret").GetString());

        using (var paused = await client.SendAsync("POST", path + "/pause"))
            Assert.Equal("paused", JsonElement.Parse(await paused.Content.ReadAsStringAsync()).GetProperty("status").GetString());

        await DeleteAsync(client, webhook.Id);
    }

    [Fact]
    public async Task Nothing_is_lost_when_the_worker_is_killed_while_it_sends()
    {
        const int Runs = 40;
        await using var receiver = await HookReceiver.StartAsync();
        using var client = await ClientAsync();
        var webhook = await RegisterAsync(client, receiver.UrlOf("all"), "node.completed");
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async (_, context) =>
        {
            // Held up until the worker is gone, so that it dies with attempts under way.
            first.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return 500;
        };
        var runs = new List<string>();
        for (var i = 0; i < Runs; i++)
            runs.Add(await client.CreateAsync("hooked"));

        await first.Task.WaitAsync(Eventually.Limit);
        var startAgain = await fixture.Installation.CrashAsync(Process);
        receiver.Answer = (_, _) => Task.FromResult(204);
        await startAgain();

        // Claims of the dead worker last for fifteen seconds.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (receiver.Taken.Select(delivery => delivery.Id).Distinct().Count() < Runs * 2)
            await Task.Delay(100, limit.Token);

        foreach (var run in receiver.Taken.DistinctBy(delivery => delivery.Id).GroupBy(delivery => delivery.RunId))
        {
            Assert.Contains(run.Key, runs);
            Assert.Equal(run.Select(delivery => delivery.Sequence).Order(), run.Select(delivery => delivery.Sequence));
        }

        await DeleteAsync(client, webhook.Id);
    }

    private static async Task<(string Id, string Secret)> RegisterAsync(Client client, string url, params string[] events)
    {
        using var response = await client.SendAsync("POST", "/v1/webhooks", JsonSerializer.Serialize(new { url, events }));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, text);
        var webhook = JsonElement.Parse(text);
        return (webhook.GetProperty("webhookId").GetString()!, webhook.GetProperty("secret").GetString()!);
    }

    private static async Task DeleteAsync(Client client, string id)
    {
        using var response = await client.SendAsync("DELETE", "/v1/webhooks/" + id);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<Client> ClientAsync()
    {
        var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync(
            "hooked",
            $"[{Client.Node("a", "core.noop")},{Client.Node("b", "core.noop")}]",
            """[{"id":"e","sourceNodeId":"a","targetNodeId":"b"}]""");
        return client;
    }
}
