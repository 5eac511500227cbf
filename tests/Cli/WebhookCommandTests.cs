using System.Net;
using System.Text.Json;
using OpenWop.Micro.Client.Webhooks;

namespace OpenWop.Micro.Cli.Tests;

/// <summary>What starts runs from outside and what is told of them, as the tool makes it: webhooks, subscriptions, triggers.</summary>
[Collection(WithServer.Name)]
public sealed class WebhookCommandTests(RunningServer server)
{
    private readonly Tool _tool = server.Tool;

    [Fact]
    public async Task A_url_is_made_starts_a_run_gets_another_secret_and_ends()
    {
        var workflow = await StoreAsync("hooked");
        var made = (await _tool.RunAsync("webhooks", "add", workflow, "--path", "cli/orders", "--wait", "--json")).Expecting(0).Json;
        var (id, url) = (made.GetProperty("id").GetString()!, made.GetProperty("url").GetString()!);

        Assert.Equal(HttpStatusCode.OK, await PostAsync(url, made.GetProperty("secret").GetString()!));
        var rotated = (await _tool.RunAsync("webhooks", "rotate", id, "--overlap", "0", "--json")).Expecting(0).Json;
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(url, made.GetProperty("secret").GetString()!));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(url, rotated.GetProperty("secret").GetString()!));

        (await _tool.RunAsync("webhooks", "add", workflow, "--path", "cli/orders")).Expecting(5);
        (await _tool.RunAsync("webhooks", "add", "nowhere", "--path", "cli/nowhere")).Expecting(4);
        (await _tool.RunAsync("webhooks", "add", workflow, "--path", "../x")).Expecting(1);
        Assert.Contains(url, (await _tool.RunAsync("webhooks", "list")).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Matches("mode +sync", (await _tool.RunAsync("webhooks", "get", id)).Expecting(0).Output);
        (await _tool.RunAsync("webhooks", "delete", id)).Expecting(0);
        (await _tool.RunAsync("webhooks", "get", id)).Expecting(4);
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(url, rotated.GetProperty("secret").GetString()!));
    }

    [Fact]
    public async Task A_subscription_gets_the_end_of_runs_signed_with_the_secret_that_was_shown()
    {
        using var receiver = new Receiver();
        var workflow = await StoreAsync("told");
        var made = (await _tool.RunAsync("webhooks", "subscriptions", "add", receiver.Url, "--tag", "told", "--json")).Expecting(0).Json;
        var (id, secret) = (made.GetProperty("webhookId").GetString()!, made.GetProperty("secret").GetString()!);

        var run = (await _tool.RunAsync("run", workflow, "--tag", "told")).Expecting(0).Output.Trim();
        var (headers, body) = await receiver.NextAsync();
        Assert.True(WebhookSignature.Verify(secret, headers.Get, body));
        Assert.False(WebhookSignature.Verify(secret + "x", headers.Get, body));
        Assert.Equal((run, "run.completed"), (JsonElement.Parse(body).GetProperty("runId").GetString(), JsonElement.Parse(body).GetProperty("type").GetString()));

        // Both secrets count after a rotation.
        var rotated = (await _tool.RunAsync("webhooks", "subscriptions", "rotate", id, "--overlap", "3600", "--json")).Expecting(0).Json;
        (await _tool.RunAsync("webhooks", "subscriptions", "test", id)).Expecting(0);
        (headers, body) = await receiver.NextAsync();
        Assert.Equal("webhook.test", JsonElement.Parse(body).GetProperty("type").GetString());
        Assert.True(WebhookSignature.Verify(secret, headers.Get, body));
        Assert.True(WebhookSignature.Verify(rotated.GetProperty("secret").GetString()!, headers.Get, body));

        await Testing.Eventually.TrueAsync(async () => (await DeliveriesAsync(id, "delivered")).Count == 2);
        (await _tool.RunAsync("webhooks", "subscriptions", "replay", id, (await DeliveriesAsync(id, "delivered"))[0].GetProperty("id").GetString()!)).Expecting(5);
        Assert.Contains("run.completed", (await _tool.RunAsync("webhooks", "subscriptions", "deliveries", id)).Expecting(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_is_looked_after()
    {
        var made = (await _tool.RunAsync("webhooks", "subscriptions", "add", "http://127.0.0.1:9/", "--event", "run.started")).Expecting(0).Output;
        var id = made.Split('\n')[0].Split(' ')[^1];

        Assert.Contains("paused", (await _tool.RunAsync("webhooks", "subscriptions", "pause", id)).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Contains("active", (await _tool.RunAsync("webhooks", "subscriptions", "resume", id)).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Matches(@"(?s)events +run\.started\n.*pending +\d", (await _tool.RunAsync("webhooks", "subscriptions", "get", id)).Expecting(0).Output);
        Assert.Matches(id + @" +http://127\.0\.0\.1:9/ +run\.started +active", (await _tool.RunAsync("webhooks", "subscriptions", "list")).Expecting(0).Output);
        (await _tool.RunAsync("webhooks", "subscriptions", "add", "nowhere")).Expecting(2);
        (await _tool.RunAsync("webhooks", "subscriptions", "delete", id)).Expecting(0);
        (await _tool.RunAsync("webhooks", "subscriptions", "get", id)).Expecting(4);
    }

    [Fact]
    public async Task A_trigger_starts_a_run_at_the_end_of_another_one()
    {
        var (source, target) = (await StoreAsync("fires"), await StoreAsync("fired"));
        (await _tool.RunAsync("triggers", "add", target)).Expecting(2);
        (await _tool.RunAsync("triggers", "add", "nowhere", "--event", "run.completed")).Expecting(4);
        var id = (await _tool.RunAsync("triggers", "add", target, "--event", "run.completed", "--of", source, "-i", "who=runId", "--json")).Expecting(0).Json.GetProperty("id").GetString()!;
        var run = (await _tool.RunAsync("run", source)).Expecting(0).Output.Trim();

        await Testing.Eventually.TrueAsync(async () => (await _tool.RunAsync("triggers", "firings", id)).Expecting(0).Output.Contains("started", StringComparison.Ordinal));
        var firing = Assert.Single((await _tool.RunAsync("triggers", "firings", id, "--json")).Expecting(0).Json.EnumerateArray());
        Assert.Equal(run, firing.GetProperty("source").GetProperty("runId").GetString());
        (await _tool.RunAsync("triggers", "replay", id, firing.GetProperty("id").GetString()!)).Expecting(5);

        Assert.Matches("state +paused", (await _tool.RunAsync("triggers", "pause", id)).Expecting(0).Output);
        Assert.Matches("state +active", (await _tool.RunAsync("triggers", "resume", id)).Expecting(0).Output);
        Assert.Matches($"{id} +fired +run.completed of fires +active", (await _tool.RunAsync("triggers", "list")).Expecting(0).Output);
        (await _tool.RunAsync("triggers", "delete", id)).Expecting(0);
        (await _tool.RunAsync("triggers", "get", id)).Expecting(4);
    }

    private async Task<List<JsonElement>> DeliveriesAsync(string id, string status) =>
        [.. (await _tool.RunAsync("webhooks", "subscriptions", "deliveries", id, "--status", status, "--json")).Expecting(0).Json.EnumerateArray()];

    private async Task<string> StoreAsync(string id)
    {
        var definition = $$"""
            {"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":[{"id":"n","typeId":"core.noop","name":"n","position":{"x":0,"y":0},"config":{},"inputs":{} }],
             "edges":[],"triggers":[],"variables":[],"metadata":{},"settings":{} }
            """;
        (await _tool.RunAsync("workflows", "apply", "-f", _tool.WriteFile(id + ".json", definition))).Expecting(0);
        return id;
    }

    private static async Task<HttpStatusCode> PostAsync(string url, string secret)
    {
        var body = """{"order":42}"""u8.ToArray();
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp);
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(secret, timestamp, body));
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }

    /// <summary>A web server that takes every delivery.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Receiver()
        {
            Url = $"http://127.0.0.1:{ToolTests.FreePort()}/";
            _listener.Prefixes.Add(Url);
            _listener.Start();
        }

        public string Url { get; }

        public async Task<(System.Collections.Specialized.NameValueCollection Headers, byte[] Body)> NextAsync()
        {
            var context = await _listener.GetContextAsync().WaitAsync(Testing.Eventually.Limit);
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            context.Response.Close();
            return (context.Request.Headers, body.ToArray());
        }

        public void Dispose() => _listener.Close();
    }
}
