using System.Net;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Client.Runs;
using OpenWop.Micro.Client.Triggers;
using OpenWop.Micro.Client.Webhooks;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Client.Tests.RealServer;

/// <summary>Triggers, and signatures that the client makes and verifies, against a server that does the same.</summary>
[Collection(WithHost.Name)]
public sealed class WebhookTests(RunningHost host)
{
    private readonly OpenWopClient _client = host.Client;

    [Fact]
    public async Task Deliveries_are_verified_with_the_secret_that_was_shown_and_with_the_one_before_while_both_count()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var id = await host.GreetingAsync();
        var made = await _client.WebhookSubscriptions.CreateAsync(new Uri(receiver.UrlOf("ends")), ["run.completed"], tags: ["told"]);
        var run = await _client.Runs.CreateAsync(new NewRun { WorkflowId = id, Tags = ["told"] });
        await _client.Runs.CreateAsync(new NewRun { WorkflowId = id, Tags = ["not-told"] });

        var first = await NextAsync(receiver, "ends", 1);
        Assert.True(Verify(made.Secret, first));
        Assert.Equal(run.RunId, first.RunId);
        Assert.False(Verify(made.Secret + "0", first));
        Assert.False(WebhookSignature.Verify(made.Secret, first.Headers.GetValueOrDefault, [.. first.Body, (byte)' ']));
        var later = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6));
        Assert.False(WebhookSignature.Verify(made.Secret, first.Headers.GetValueOrDefault, first.Body, later));

        var rotated = await _client.WebhookSubscriptions.RotateSecretAsync(made.WebhookId, TimeSpan.FromHours(1));
        Assert.Equal("webhook.test", (await _client.WebhookSubscriptions.TestAsync(made.WebhookId)).Type);
        var second = await NextAsync(receiver, "ends", 2);
        Assert.True(Verify(rotated.Secret!, second));
        Assert.True(Verify(made.Secret, second));
        Assert.NotNull(rotated.PreviousSecretUntil);

        await _client.WebhookSubscriptions.RotateSecretAsync(made.WebhookId, TimeSpan.Zero);
        await _client.WebhookSubscriptions.TestAsync(made.WebhookId);
        Assert.False(Verify(made.Secret, await NextAsync(receiver, "ends", 3)));
        await _client.WebhookSubscriptions.DeleteAsync(made.WebhookId);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<OpenWopException>(() => _client.WebhookSubscriptions.GetAsync(made.WebhookId))).Status);
    }

    [Fact]
    public async Task What_happens_during_a_pause_is_delivered_afterwards_and_told_with_its_attempts()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var made = await _client.WebhookSubscriptions.CreateAsync(new Uri(receiver.UrlOf("paused")), ["run.started", "run.completed"]);
        Assert.Equal("paused", (await _client.WebhookSubscriptions.PauseAsync(made.WebhookId)).Status);
        var run = await _client.Runs.CreateAsync(new NewRun { WorkflowId = await host.GreetingAsync() });
        await _client.Runs.WaitAsync(run.RunId);
        await Eventually.TrueAsync(async () => (await _client.WebhookSubscriptions.GetAsync(made.WebhookId)).Pending == 2);
        Assert.Empty(receiver.Taken);

        Assert.Equal("active", (await _client.WebhookSubscriptions.ResumeAsync(made.WebhookId)).Status);
        await Eventually.TrueAsync(() => receiver.TakenBy("paused").Count == 2);
        await Eventually.TrueAsync(async () => (await _client.WebhookSubscriptions.DeliveriesAsync(made.WebhookId, "delivered")).Data.Count == 2);
        var listed = (await _client.WebhookSubscriptions.DeliveriesAsync(made.WebhookId, limit: 1)).Data.Single();
        var whole = await _client.WebhookSubscriptions.DeliveryAsync(made.WebhookId, listed.Id);
        Assert.Equal(Encoding.UTF8.GetString(receiver.TakenBy("paused").Single(delivery => delivery.Id == listed.Id).Body), whole.Body);
        Assert.Equal(200, Assert.Single(whole.Attempts.EnumerateArray()).GetProperty("statusCode").GetInt32());
        var refused = await Assert.ThrowsAsync<OpenWopException>(() => _client.WebhookSubscriptions.ReplayAsync(made.WebhookId, listed.Id));
        Assert.Equal("delivery_not_dead", refused.Code);
        Assert.Contains(await _client.WebhookSubscriptions.ListAllAsync().ToListAsync(), subscription => subscription.Id == made.WebhookId);
        await _client.WebhookSubscriptions.DeleteAsync(made.WebhookId);
    }

    [Fact]
    public async Task What_the_client_signs_starts_a_run_once_per_delivery()
    {
        var made = await _client.InboundWebhooks.CreateAsync(new NewInboundWebhook("sdk/orders", await host.GreetingAsync()) { Inputs = JsonElement.Parse("""{"name":"body:/who"}""") });
        var (status, first) = await PostAsync(made.Url, made.Secret!, "delivery-1");
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal(first, (await PostAsync(made.Url, made.Secret!, "delivery-1")).Answer);
        var run = await _client.Runs.WaitAsync(JsonElement.Parse(first).GetProperty("runId").GetString()!);
        Assert.Equal("Hello, Zoë!", run.NodeStates!.Value.GetProperty("hello").GetProperty("outputs").GetProperty("result").GetString());
        Assert.Equal(run.RunId, Assert.Single((await _client.InboundWebhooks.DeliveriesAsync(made.Id)).Data).RunId);

        var rotated = await _client.InboundWebhooks.RotateSecretAsync(made.Id, TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(made.Url, made.Secret!, "delivery-2")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(made.Url, rotated.Secret!, "delivery-3")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(made.Url, "another", "delivery-4")).Status);

        var changed = await _client.InboundWebhooks.ChangeAsync(made.Id, JsonElement.Parse("""{"mode":"sync"}"""));
        Assert.Equal(("sync", null), (changed.Mode, changed.Secret));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(made.Url, rotated.Secret!, "delivery-5")).Status);
        Assert.Equal("webhook_path_taken", (await Assert.ThrowsAsync<OpenWopException>(() => _client.InboundWebhooks.CreateAsync(new NewInboundWebhook("sdk/orders", made.WorkflowId)))).Code);
        Assert.Contains(await _client.InboundWebhooks.ListAllAsync().ToListAsync(), webhook => webhook.Id == made.Id && webhook.Secret is null);
        await _client.InboundWebhooks.DeleteAsync(made.Id);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<OpenWopException>(() => _client.InboundWebhooks.GetAsync(made.Id))).Status);
    }

    [Fact]
    public async Task The_end_of_a_run_starts_another_one()
    {
        var (source, target) = (await host.GreetingAsync(), await host.GreetingAsync());
        var made = await _client.Triggers.CreateAsync(new Trigger
        {
            WorkflowId = target,
            On = new TriggerSource { Events = ["run.completed"], WorkflowId = source },
            Inputs = JsonElement.Parse("""{"name":"workflowId"}"""),
            RatePerMinute = 60,
        });
        var run = await _client.Runs.CreateAsync(new NewRun { WorkflowId = source });
        await Eventually.TrueAsync(async () => (await _client.Triggers.FiringsAsync(made.Id!)).Data.Any(firing => firing.Status == "started"));
        var firing = Assert.Single((await _client.Triggers.FiringsAsync(made.Id!)).Data);
        Assert.Equal(run.RunId, firing.Source.GetProperty("runId").GetString());
        var started = await _client.Runs.WaitAsync(firing.RunId!);
        Assert.Equal($"Hello, {source}!", started.NodeStates!.Value.GetProperty("hello").GetProperty("outputs").GetProperty("result").GetString());
        Assert.Equal(HttpStatusCode.Conflict, (await Assert.ThrowsAsync<OpenWopException>(() => _client.Triggers.ReplayAsync(made.Id!, firing.Id))).Status);

        Assert.Equal("paused", (await _client.Triggers.PauseAsync(made.Id!)).State);
        Assert.Equal("active", (await _client.Triggers.ResumeAsync(made.Id!)).State);
        Assert.Equal(30, (await _client.Triggers.ChangeAsync(made.Id!, JsonElement.Parse("""{"ratePerMinute":30}"""))).RatePerMinute);
        Assert.Contains(await _client.Triggers.ListAllAsync().ToListAsync(), trigger => trigger.Id == made.Id);
        await _client.Triggers.DeleteAsync(made.Id!);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<OpenWopException>(() => _client.Triggers.GetAsync(made.Id!))).Status);
    }

    private static bool Verify(string secret, HookDelivery delivery) => WebhookSignature.Verify(secret, delivery.Headers.GetValueOrDefault, delivery.Body);

    private static async Task<HookDelivery> NextAsync(HookReceiver receiver, string hook, int count)
    {
        await Eventually.TrueAsync(() => receiver.TakenBy(hook).Count >= count);
        return receiver.TakenBy(hook)[count - 1];
    }

    private static async Task<(HttpStatusCode Status, string Answer)> PostAsync(string url, string secret, string deliveryId)
    {
        var body = Encoding.UTF8.GetBytes("""{"who":"Zoë"}""");
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } } };
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp);
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(secret, timestamp, body));
        request.Headers.Add(WebhookSignature.DeliveryIdHeader, deliveryId);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
