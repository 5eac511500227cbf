using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.EndToEnd.Tests;

public sealed class EmbeddedInboundWebhookTests(EmbeddedInstallation installation) : InboundWebhookTests(installation), IClassFixture<EmbeddedInstallation>;

public sealed class ServerInboundWebhookTests(ServerInstallation installation) : InboundWebhookTests(installation), IClassFixture<ServerInstallation>;

/// <summary>Other systems start runs over the wire, with the real engine behind.</summary>
public abstract class InboundWebhookTests(InstallationFixture fixture)
{
    private const string Secret = "a secret that both sides know";

    [Fact]
    public async Task A_signed_delivery_makes_a_run_of_its_body()
    {
        using var client = await ClientAsync();
        var hook = await MakeAsync(client, "orders/new");

        var (status, answer) = await SendAsync(hook, """{"order":42,"nested":{"n":9007199254740993}}""");

        Assert.Equal(HttpStatusCode.Accepted, status);
        var runId = answer.GetProperty("runId").GetString()!;
        await client.UntilAsync(runId, "completed");
        var run = await client.GetAsync("/v1/runs/" + runId);
        Assert.Equal("42", run.GetProperty("inputs").GetProperty("order").GetRawText());
        Assert.Equal("9007199254740993", run.GetProperty("inputs").GetProperty("nested").GetProperty("n").GetRawText());
    }

    [Fact]
    public async Task The_first_event_of_the_run_names_the_delivery_that_is_listed()
    {
        using var client = await ClientAsync();
        var hook = await MakeAsync(client, "caused");
        var runId = (await SendAsync(hook, "{}", "cause-1")).Body.GetProperty("runId").GetString()!;
        var first = (await client.GetAsync($"/v1/runs/{runId}/events/poll?timeout=1")).GetProperty("events")[0];
        Assert.Equal("run.started", first.GetProperty("type").GetString());

        var listed = Assert.Single((await client.GetAsync($"/api/webhooks/{hook.Id}/deliveries")).GetProperty("data").EnumerateArray());
        Assert.Equal(runId, listed.GetProperty("runId").GetString());
        Assert.Equal(listed.GetProperty("id").GetString(), first.GetProperty("causationId").GetString());
        Assert.Equal(listed.GetProperty("id").GetString(), first.GetProperty("payload").GetProperty("metadata").GetProperty("trigger").GetProperty("deliveryId").GetString());
    }

    [Fact]
    public async Task An_answer_with_a_secret_is_stored_nowhere_and_the_same_when_the_call_comes_again()
    {
        using var client = await ClientAsync();
        (string, string)[] key = [("Idempotency-Key", Guid.NewGuid().ToString())];
        const string Body = """{"path":"kept-nowhere","workflowId":"hooked"}""";
        using var first = await client.SendAsync("POST", "/api/webhooks", Body, key);
        using var second = await client.SendAsync("POST", "/api/webhooks", Body, key);
        Assert.Equal((HttpStatusCode.Created, "no-store"), (first.StatusCode, first.Headers.CacheControl?.ToString()));
        var text = await first.Content.ReadAsStringAsync();
        Assert.Equal(text, await second.Content.ReadAsStringAsync());

        var path = $"/api/webhooks/{JsonElement.Parse(text).GetProperty("id").GetString()}";
        using var rotated = await client.SendAsync("POST", path + "/rotate-secret", "{}", key);
        using var again = await client.SendAsync("POST", path + "/rotate-secret", "{}", key);
        Assert.Equal((HttpStatusCode.OK, "no-store"), (rotated.StatusCode, rotated.Headers.CacheControl?.ToString()));
        Assert.Equal(await rotated.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());

        using var changed = await client.SendAsync("PATCH", path, """{"maxBytes":2048}""");
        Assert.Equal((HttpStatusCode.OK, 2048), (changed.StatusCode, JsonElement.Parse(await changed.Content.ReadAsStringAsync()).GetProperty("maxBytes").GetInt32()));
    }

    [Fact]
    public async Task What_is_not_signed_or_signed_long_ago_is_refused_without_a_reason_also_with_a_key()
    {
        using var client = await ClientAsync();
        var hook = await MakeAsync(client, "strict");
        const string Body = """{"a":1}""";
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        (string, string)[][] attempts =
        [
            [],
            [("X-openwop-Signature", "sha256=00"), ("X-openwop-Timestamp", Text(now))],
            [("X-openwop-Signature", Sign(now, Body, "another")), ("X-openwop-Timestamp", Text(now))],
            [("X-openwop-Signature", Sign(now, Body + " ")), ("X-openwop-Timestamp", Text(now))],
            [("X-openwop-Signature", Sign(now, Body)), ("X-openwop-Timestamp", Text(now + 1))],
            [("X-openwop-Signature", Sign(now, Body))],
            [("X-openwop-Timestamp", Text(now))],
            [("X-openwop-Signature", Sign(now - 330, Body)), ("X-openwop-Timestamp", Text(now - 330))],
            [("X-openwop-Signature", Sign(now + 330, Body)), ("X-openwop-Timestamp", Text(now + 330))],
            [("X-openwop-Signature", Sign(now, Body)), ("X-openwop-Signature", Sign(now, Body)), ("X-openwop-Timestamp", Text(now))],
            [("X-Hub-Signature-256", Hub(Body, "another"))],
        ];
        var answers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var headers in attempts)
        {
            foreach (var bearer in new[] { "", Installation.Key })
            {
                var (status, answer) = await PostAsync(hook.Url, Body, headers, bearer);
                Assert.Equal(HttpStatusCode.Unauthorized, status);
                answers.Add(answer.GetRawText());
            }
        }

        // The same answer whatever was wrong.
        Assert.Single(answers);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(hook.Url, Body, [("X-Hub-Signature-256", Hub(Body))])).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(hook, Body, at: now - 290)).Status);
    }

    [Fact]
    public async Task A_delivery_that_comes_again_gets_the_run_that_it_has_made()
    {
        using var client = await ClientAsync();
        var hook = await MakeAsync(client, "again");
        var other = await MakeAsync(client, "again-elsewhere");
        var id = Guid.NewGuid().ToString();

        // Refused deliveries spend nothing.
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(hook, "no json", id)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(hook.Url, "{}", [("X-openwop-Delivery-Id", id)])).Status);

        var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(hook, """{"a":1}""", id)));
        var runId = Assert.Single(attempts.Select(attempt => attempt.Body.GetProperty("runId").GetString()).Distinct());
        Assert.All(attempts, attempt => Assert.True(attempt.Status is HttpStatusCode.OK or HttpStatusCode.Accepted));

        var (status, answer) = await SendAsync(hook, """{"a":2}""", id);
        Assert.Equal((HttpStatusCode.OK, runId), (status, answer.GetProperty("runId").GetString()));

        // Ids belong to a webhook, and without one no two deliveries are the same.
        Assert.NotEqual(runId, (await SendAsync(other, """{"a":1}""", id)).Body.GetProperty("runId").GetString());
        Assert.NotEqual(
            (await SendAsync(hook, """{"a":1}""")).Body.GetProperty("runId").GetString(), (await SendAsync(hook, """{"a":1}""")).Body.GetProperty("runId").GetString());
    }

    [Fact]
    public async Task A_sender_may_wait_for_the_end_of_the_run()
    {
        using var client = await ClientAsync();
        await client.StoreAsync("slow", $"[{Client.Node("a", "core.delay", """{"ms":60000}""")}]");
        var quick = await MakeAsync(client, "quick", ""","mode":"sync" """);
        var slow = await MakeAsync(client, "slow", ""","mode":"sync","timeoutMs":200 """, "slow");

        var (status, answer) = await SendAsync(quick, """{"a":1}""");
        Assert.Equal((HttpStatusCode.OK, "completed"), (status, answer.GetProperty("status").GetString()));

        (status, answer) = await SendAsync(slow, """{"a":1}""");
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal("running", (await client.GetAsync($"/v1/runs/{answer.GetProperty("runId").GetString()}")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_webhook_of_a_deleted_workflow_is_gone_but_for_what_it_has_accepted()
    {
        using var client = await ClientAsync();
        var (_, workflow) = await ControlAsync(client, "POST", "/api/workflows", "{}");
        var workflowId = workflow.GetProperty("id").GetString()!;
        var version = workflow.GetProperty("version").GetRawText();
        var hook = await MakeAsync(client, "deleted", workflowId: workflowId);
        var (status, accepted) = await SendAsync(hook, "{}", "before");
        Assert.Equal(HttpStatusCode.Accepted, status);

        using var deleted = await client.SendAsync("DELETE", "/api/workflows/" + workflowId, headers: [("If-Match", version)]);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        (status, var answer) = await SendAsync(hook, "{}", "after");
        Assert.Equal((HttpStatusCode.Gone, "workflow_deleted"), (status, answer.GetProperty("error").GetString()));
        (status, answer) = await SendAsync(hook, "{}", "before");
        Assert.Equal((HttpStatusCode.OK, accepted.GetProperty("runId").GetString()), (status, answer.GetProperty("runId").GetString()));
    }

    [Fact]
    public async Task A_new_secret_is_good_at_once_and_the_one_before_for_as_long_as_was_asked()
    {
        using var client = await ClientAsync();
        var hook = await MakeAsync(client, "rotated");

        var rotated = await ControlAsync(client, "POST", $"/api/webhooks/{hook.Id}/rotate-secret");
        var secret = rotated.Body.GetProperty("secret").GetString()!;
        Assert.True(secret.Length >= 32);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(hook, "{}")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(hook with { Secret = secret }, "{}")).Status);

        var last = await ControlAsync(client, "POST", $"/api/webhooks/{hook.Id}/rotate-secret", """{"secret":"brought along","overlapSeconds":0}""");
        Assert.Equal("brought along", last.Body.GetProperty("secret").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(hook with { Secret = secret }, "{}")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(hook, "{}")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(hook with { Secret = "brought along" }, "{}")).Status);
    }

    [Fact]
    public async Task The_routes_answer_in_the_vocabulary_of_the_authoring_plane()
    {
        using var client = await ClientAsync();
        using var reader = new Client(fixture.Installation.BaseUrl, Installation.ReaderKey);
        using var other = new Client(fixture.Installation.BaseUrl, Installation.OtherTenantKey);
        const string Body = """{"path":"listed","workflowId":"hooked"}""";

        var (status, made) = await ControlAsync(client, "POST", "/api/webhooks", Body);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.True(made.GetProperty("secret").GetString()!.Length >= 32);
        Assert.EndsWith("/listed", made.GetProperty("url").GetString(), StringComparison.Ordinal);
        var path = $"/api/webhooks/{made.GetProperty("id").GetString()}";

        Assert.Equal((HttpStatusCode.Conflict, "webhook_path_taken"), await RefusedAsync(client, "POST", "/api/webhooks", Body));
        Assert.Equal((HttpStatusCode.NotFound, "workflow_not_found"), await RefusedAsync(client, "POST", "/api/webhooks", """{"path":"p","workflowId":"absent"}"""));
        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), await RefusedAsync(reader, "POST", "/api/webhooks", Body));
        foreach (var bad in new[] { "", "/a", "a/", "a//b", "..", "a/../b", ".", "a b", "ä", "a?b", new string('a', 201) })
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_body"), await RefusedAsync(client, "POST", "/api/webhooks", $$"""{"path":"{{bad}}","workflowId":"hooked"}"""));

        var listed = (await client.GetAsync("/api/webhooks?limit=200")).GetProperty("data").EnumerateArray().Single(item => item.GetProperty("path").GetString() == "listed");
        Assert.Equal(made.GetProperty("url").GetString(), listed.GetProperty("url").GetString());
        Assert.False(listed.TryGetProperty("secret", out _));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(other, "GET", path));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(other, "DELETE", path));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(other, "POST", path + "/rotate-secret"));

        var url = new Uri(made.GetProperty("url").GetString()!);
        var hook = new Hook("", url, made.GetProperty("secret").GetString()!);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(hook with { Url = new Uri(url, "elsewhere") }, "{}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(hook with { Url = new Uri(url, $"/api/hooks/{new string('0', 48)}/listed") }, "{}")).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(hook, $$"""{"text":"{{new string('x', 256 * 1024)}}"}""")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SendAsync(hook, $$"""{"text":"{{new string('x', 2 << 20)}}"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(hook, "{")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(hook, """{"a":"\ud800"}""")).Status);

        using var deleted = await client.SendAsync("DELETE", path);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(hook, "{}")).Status);
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await RefusedAsync(client, "DELETE", path));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Sign(long at, string body, string secret = Secret) => "sha256=" + Hmac(secret, $"{at}.{body}");

    private static string Hub(string body, string secret = Secret) => "sha256=" + Hmac(secret, body);

    private static string Hmac(string secret, string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));

    private static Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(Hook hook, string body, string? id = null, long? at = null)
    {
        var time = at ?? DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        List<(string, string)> headers = [("X-openwop-Signature", Sign(time, body, hook.Secret)), ("X-openwop-Timestamp", Text(time))];
        if (id is not null)
            headers.Add(("X-openwop-Delivery-Id", id));

        return PostAsync(hook.Url, body, [.. headers]);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(Uri url, string body, (string Name, string Value)[] headers, string bearer = "")
    {
        using var client = new Client(new Uri(url.GetLeftPart(UriPartial.Authority)), bearer);
        using var response = await client.SendAsync("POST", url.PathAndQuery, body, headers);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> ControlAsync(Client client, string method, string path, string? body = null)
    {
        using var response = await client.SendAsync(method, path, body);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private static async Task<(HttpStatusCode Status, string? Error)> RefusedAsync(Client client, string method, string path, string? body = null)
    {
        var (status, answer) = await ControlAsync(client, method, path, body);
        return (status, answer.GetProperty("error").GetString());
    }

    private static async Task<Hook> MakeAsync(Client client, string path, string members = "", string workflowId = "hooked")
    {
        var (status, made) = await ControlAsync(
            client, "POST", "/api/webhooks", $$"""{"path":"{{path}}","workflowId":"{{workflowId}}","secret":"{{Secret}}"{{members}}}""");
        Assert.True(status == HttpStatusCode.Created, made.GetRawText());
        return new Hook(made.GetProperty("id").GetString()!, new Uri(made.GetProperty("url").GetString()!), made.GetProperty("secret").GetString()!);
    }

    private async Task<Client> ClientAsync()
    {
        var client = new Client(fixture.Installation.BaseUrl);
        await client.StoreAsync("hooked", $"[{Client.Node("a", "core.noop")}]");
        return client;
    }

    private sealed record Hook(string Id, Uri Url, string Secret);
}
