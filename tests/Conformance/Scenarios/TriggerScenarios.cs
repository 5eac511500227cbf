using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Webhooks in both directions, and triggers, on the authoring plane, where the host describes them.</summary>
internal static class TriggerScenarios
{
    private const string Section = "Webhooks of authors";
    private const string Noop = "conformance-noop";
    private const string Secret = "a secret that both sides know";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Another system starts a run with a signed delivery, once", AuthoringScenarios.Describes("createInboundWebhook").And(Gate.Fixtures(Noop)), InboundAsync),
        new(Section, "A registered webhook is looked after", AuthoringScenarios.Describes("listSubscriptions"), SubscriptionAsync),
        new("Triggers", "The end of a run starts another one", AuthoringScenarios.Describes("createTrigger").And(Gate.Fixtures(Noop)), StartAsync),
        new("Triggers", "A trigger is looked after, and what it cannot start is told", AuthoringScenarios.Describes("createTrigger").And(Gate.Fixtures(Noop)), TriggerAsync),
    ];

    /// <summary>Of the same workflow, which the trigger has to allow; what it starts has no tag, so that it fires once.</summary>
    private static async Task StartAsync(Suite suite)
    {
        var tag = "conformance-" + Guid.NewGuid().ToString("n");
        var path = await MakeAsync(suite, new { workflowId = Noop, on = new { events = new[] { "run.completed" }, tags = new[] { tag } }, allowSelf = true });
        var source = Suite.RunIdOf((await suite.Host.PostAsync("/v1/runs", new { workflowId = Noop, tags = new[] { tag } })).Expecting(201));
        var firing = await FiredAsync(suite, path, "started");
        Expect.Equal(source, firing.GetProperty("source").GetProperty("runId").GetString(), "source of the firing");
        var runId = firing.GetProperty("runId").GetString()!;
        await suite.UntilAsync(runId, "completed");
        var started = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).Expecting(200).Json.GetProperty("events")[0];
        Expect.Equal(firing.GetProperty("id").GetString(), started.GetProperty("causationId").GetString(), "causationId");
        (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
    }

    private static async Task TriggerAsync(Suite suite)
    {
        var tag = "conformance-" + Guid.NewGuid().ToString("n");
        var workflow = (await suite.Host.PostAsync("/api/workflows", new { })).Expecting(201).Json.GetProperty("id").GetString()!;
        var path = await MakeAsync(suite, new { workflowId = workflow, on = new { events = new[] { "run.completed" }, tags = new[] { tag } } });
        (await suite.Host.PostAsync("/api/triggers", new { workflowId = workflow, on = new { } })).Expecting(400, "invalid_body");
        (await suite.Host.GetAsync("/api/triggers?limit=1")).Expecting(200);
        Expect.Equal(7, (await suite.Host.SendAsync("PATCH", path, """{"ratePerMinute":7}""")).Expecting(200).Json.GetProperty("ratePerMinute").GetInt32(), "ratePerMinute");
        Expect.Equal("paused", (await suite.Host.PostAsync(path + "/pause")).Expecting(200).Json.GetProperty("state").GetString(), "state");
        Expect.Equal("active", (await suite.Host.PostAsync(path + "/resume")).Expecting(200).Json.GetProperty("state").GetString(), "state");
        (await suite.Host.SendAsync("DELETE", "/api/workflows/" + workflow, null, ("If-Match", "1"))).Expecting(204);
        (await suite.Host.PostAsync("/v1/runs", new { workflowId = Noop, tags = new[] { tag } })).Expecting(201);
        var firing = await FiredAsync(suite, path, "failed");
        (await suite.Host.PostAsync($"{path}/firings/{firing.GetProperty("id").GetString()}/replay")).Expecting(202);
        (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
        (await suite.Host.GetAsync(path)).Expecting(404);
    }

    private static async Task<string> MakeAsync(Suite suite, object body)
    {
        var path = "/api/triggers/" + (await suite.Host.PostAsync("/api/triggers", body)).Expecting(201).Json.GetProperty("id").GetString();
        (await suite.Host.GetAsync(path)).Expecting(200);
        return path;
    }

    private static async Task<JsonElement> FiredAsync(Suite suite, string path, string status)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var firings = (await suite.Host.GetAsync(path + "/firings?limit=5")).Expecting(200).Json.GetProperty("data");
            if (firings.GetArrayLength() == 1 && firings[0].GetProperty("status").ValueEquals(status))
                return firings[0];

            Expect.InTime(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), $"There should be one firing that has {status}: {firings.GetRawText()}");
            await Task.Delay(25);
        }
    }

    private static async Task InboundAsync(Suite suite)
    {
        var made = (await suite.Host.PostAsync("/api/webhooks", new { path = "conformance-" + Guid.NewGuid().ToString("n"), workflowId = Noop, secret = Secret })).Expecting(201).Json;
        var (url, path) = (new Uri(made.GetProperty("url").GetString()!).AbsolutePath, "/api/webhooks/" + made.GetProperty("id").GetString());
        (await suite.Host.PostAsync(url, new { order = 42 })).Expecting(401, "unauthorized");
        var first = (await DeliverAsync(suite, url)).Expecting(202);
        var second = (await DeliverAsync(suite, url)).Expecting(200);
        Expect.Equal(Suite.RunIdOf(first), Suite.RunIdOf(second), "run of the delivery");
        await suite.UntilAsync(Suite.RunIdOf(first), "completed");

        (await suite.Host.GetAsync("/api/webhooks?limit=1")).Expecting(200);
        Expect.Equal(1, (await suite.Host.GetAsync(path + "/deliveries")).Expecting(200).Json.GetProperty("data").GetArrayLength(), "accepted deliveries");
        Expect.Equal(5, (await suite.Host.SendAsync("PATCH", path, """{"ratePerMinute":5}""")).Expecting(200).Json.GetProperty("ratePerMinute").GetInt32(), "ratePerMinute");
        Expect.That(!(await suite.Host.GetAsync(path)).Expecting(200).Text.Contains(Secret, StringComparison.Ordinal), "The secret comes back.");
        (await suite.Host.PostAsync(path + "/rotate-secret", new { overlapSeconds = 0 })).Expecting(200);
        (await DeliverAsync(suite, url)).Expecting(401, "unauthorized");
        (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
        (await DeliverAsync(suite, url)).Expecting(404);
    }

    private static Task<Reply> DeliverAsync(Suite suite, string url)
    {
        const string Body = """{"order":42}""";
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"{now}.{Body}")));
        return suite.Anonymous.SendAsync("POST", url, Body, ("X-openwop-Timestamp", now), ("X-openwop-Signature", "sha256=" + signature), ("X-openwop-Delivery-Id", "order-42"));
    }

    /// <summary>The receiver does not exist, so what is sent to it fails.</summary>
    private static async Task SubscriptionAsync(Suite suite)
    {
        var webhook = (await suite.Host.PostAsync("/v1/webhooks", new { url = "https://hooks.example.invalid/runs", events = new[] { "run.failed" }, tags = new[] { "conformance-nobody" } })).Expecting(201).Json;
        var path = "/api/webhooks/subscriptions/" + webhook.GetProperty("webhookId").GetString();
        (await suite.Host.GetAsync("/api/webhooks/subscriptions?limit=1")).Expecting(200);
        var rotated = (await suite.Host.PostAsync(path + "/rotate-secret", new { overlapSeconds = 60 })).Expecting(200).Json;
        Expect.That(rotated.GetProperty("secret").GetString() != webhook.GetProperty("secret").GetString(), "The secret is the same.");
        Expect.Equal("paused", (await suite.Host.PostAsync(path + "/pause")).Expecting(200).Json.GetProperty("status").GetString(), "status");
        Expect.Equal("active", (await suite.Host.PostAsync(path + "/resume")).Expecting(200).Json.GetProperty("status").GetString(), "status");

        var sent = (await suite.Host.PostAsync(path + "/test")).Expecting(202).Json.GetProperty("id").GetString();
        var delivery = await UntilTriedAsync(suite, $"{path}/deliveries/{sent}");
        (await suite.Host.GetAsync(path + "/deliveries?limit=5")).Expecting(200);
        (await suite.Host.PostAsync($"{path}/deliveries/{sent}/replay")).Expecting(delivery.GetProperty("status").ValueEquals("dead") ? 202 : 409);
        (await suite.Host.GetAsync(path)).Expecting(200);
        if (suite.OtherTenant is { } stranger)
            (await stranger.GetAsync(path)).Expecting(404, "not_found");

        (await suite.Host.SendAsync("DELETE", "/v1/webhooks/" + webhook.GetProperty("webhookId").GetString(), null)).Expecting(204);
        (await suite.Host.GetAsync(path)).Expecting(404, "not_found");
    }

    private static async Task<JsonElement> UntilTriedAsync(Suite suite, string path)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var delivery = (await suite.Host.GetAsync(path)).Expecting(200).Json;
            if (delivery.GetProperty("attempts").GetArrayLength() > 0)
                return delivery;

            Expect.InTime(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(15), $"Nothing is sent: {delivery.GetRawText()}");
            await Task.Delay(50);
        }
    }
}
