using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Webhooks.Tests.Inbound;

public sealed class InboundTestsOnSqlite(OnSqlite store) : InboundTests(store), IClassFixture<OnSqlite>;

public sealed class InboundTestsOnPostgreSql(OnPostgreSql store) : InboundTests(store), IClassFixture<OnPostgreSql>;

public abstract class InboundTests(Stores store)
{
    [Fact]
    public async Task A_run_is_made_in_the_name_of_whoever_has_made_the_webhook()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("orders", "\"inputs\":{\"order\":\"body:/order\",\"event\":\"header:x-event\"}", isTest: true);

        var (status, answer) = await host.SendAsync(hook, """{"order":1}""");

        Assert.Equal(202, status);
        Assert.StartsWith("run-", answer.GetProperty("runId").GetString(), StringComparison.Ordinal);
        var request = Assert.Single(host.Engine.Runs);
        Assert.Equal(("acme", true), (request.ActingFor.Tenant, request.ActingFor.Test));
        Assert.NotEmpty(request.ActingFor.Principal);
        var body = JsonElement.Parse(request.Body.Span);
        Assert.Equal("w", body.GetProperty("workflowId").GetString());
        Assert.Equal("""{"order":1}""", body.GetProperty("inputs").GetRawText());
        var trigger = body.GetProperty("metadata").GetProperty("trigger");
        Assert.Equal(hook.Id, trigger.GetProperty("subscriptionId").GetString());
        Assert.Equal(trigger.GetProperty("deliveryId").GetString(), request.Cause.CausationId);
    }

    [Fact]
    public async Task What_was_accepted_is_listed_newest_first_for_the_owner_only()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("listed");
        var runs = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            runs.Add((await host.SendAsync(hook, "{}", i % 2 == 0 ? $"id-{i}" : null)).Body.GetProperty("runId").GetString()!);
            host.Time.Advance(TimeSpan.FromMilliseconds(i % 3));
        }

        var listed = new List<JsonElement>();
        var request = new ListInboundDeliveriesRequest { Id = hook.Id, Limit = 2 };
        do
        {
            var page = await host.Client.ListInboundDeliveriesAsync(request, await host.UserAsync());
            listed.AddRange(page.Deliveries.Select(delivery => JsonElement.Parse(delivery.Span)));
            request.Before = page.Next;
        }
        while (request.Before.Length > 0);

        Assert.Equal(runs.Order(StringComparer.Ordinal), listed.Select(delivery => delivery.GetProperty("runId").GetString()).Order(StringComparer.Ordinal));
        var times = listed.Select(delivery => delivery.GetProperty("receivedAt").GetString()).ToArray();
        Assert.Equal(times.OrderDescending(StringComparer.Ordinal), times);
        Assert.Equal(
            host.Engine.Runs.Select(run => run.Cause.CausationId).Order(StringComparer.Ordinal),
            listed.Select(delivery => delivery.GetProperty("id").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal("not_found", (await RefusedAsync(async () => await host.Client.ListInboundDeliveriesAsync(request, await host.UserAsync("other")))).Code.Name);
    }

    [Fact]
    public async Task A_change_replaces_the_members_that_it_names_and_nothing_else()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("before", "\"maxBytes\":2048,\"inputs\":{\"all\":\"body\"}");
        await host.CreateAsync("taken");

        var changed = await ChangeAsync("""{"path":"after","mode":"sync","timeoutMs":1,"inputs":null,"ratePerMinute":1}""");
        Assert.Equal(("after", "sync", 2048), (changed.GetProperty("path").GetString(), changed.GetProperty("mode").GetString(), changed.GetProperty("maxBytes").GetInt32()));
        Assert.False(changed.TryGetProperty("inputs", out _));
        Assert.Equal("webhook_path_taken", (await RefusedAsync(() => ChangeAsync("""{"path":"taken"}"""))).Code.Name);
        Assert.Equal("workflow_not_found", (await RefusedAsync(() => ChangeAsync("""{"workflowId":"none"}"""))).Code.Name);
        Assert.Equal("validation_error", (await RefusedAsync(() => ChangeAsync("""{"secret":"mine"}"""))).Code.Name);
        Assert.Equal("validation_error", (await RefusedAsync(() => ChangeAsync("""{"path":null}"""))).Code.Name);
        Assert.Equal("not_found", (await RefusedAsync(async () => await host.Client.UpdateInboundWebhookAsync(
            new UpdateInboundWebhookRequest { Id = hook.Id, Body = ByteString.CopyFromUtf8("{}") }, await host.UserAsync("other")))).Code.Name);

        // The former URL is nobody's, the secret is what it was, and the new rate holds at once.
        await ChangeAsync("""{"mode":null}""");
        Assert.Equal("not_found", (await RefusedAsync(() => host.SendAsync(hook, "{}"))).Code.Name);
        Assert.Equal(202, (await host.SendAsync(hook with { Path = "after" }, "{}")).Status);
        Assert.Equal("rate_limited", (await RefusedAsync(() => host.SendAsync(hook with { Path = "after" }, "{}"))).Code.Name);

        async Task<JsonElement> ChangeAsync(string body) => JsonElement.Parse((await host.Client.UpdateInboundWebhookAsync(
            new UpdateInboundWebhookRequest { Id = hook.Id, Body = ByteString.CopyFromUtf8(body), BaseUrl = "https://here" }, await host.UserAsync())).Json.Span);
    }

    [Fact]
    public async Task A_request_that_comes_again_shows_the_same_secret_and_changes_nothing()
    {
        await using var host = await StartAsync();
        var create = new CreateInboundWebhookRequest { Body = ByteString.CopyFromUtf8("""{"path":"again","workflowId":"w"}"""), RequestId = "create-1" };
        var first = JsonElement.Parse((await host.Client.CreateInboundWebhookAsync(create, await host.UserAsync())).Json.Span);
        var second = JsonElement.Parse((await host.Client.CreateInboundWebhookAsync(create, await host.UserAsync())).Json.Span);
        Assert.Equal(first.GetRawText(), second.GetRawText());

        var rotate = new RotateInboundSecretRequest { Id = first.GetProperty("id").GetString(), RequestId = "rotate-1" };
        var rotated = JsonElement.Parse((await host.Client.RotateInboundSecretAsync(rotate, await host.UserAsync())).Json.Span);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        var repeated = JsonElement.Parse((await host.Client.RotateInboundSecretAsync(rotate, await host.UserAsync())).Json.Span);
        Assert.NotEqual(first.GetProperty("secret").GetString(), rotated.GetProperty("secret").GetString());
        Assert.Equal(rotated.GetRawText(), repeated.GetRawText());
    }

    [Fact]
    public async Task An_id_is_spent_when_there_is_a_run_and_not_before()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("spent");

        // The engine cannot be reached; then it can, but its answer is lost.
        host.Engine.OnCreate = () => throw new RpcException(new Status(StatusCode.Unavailable, "Away."));
        Assert.Equal(503, (await RefusedAsync(() => host.SendAsync(hook, "{}", "one"))).Code.HttpStatus);
        host.Engine.OnCreate = () => { };
        host.Engine.OnCreated = () => throw new RpcException(new Status(StatusCode.Unavailable, "Away."));
        Assert.Equal(503, (await RefusedAsync(() => host.SendAsync(hook, "{}", "one"))).Code.HttpStatus);
        host.Engine.OnCreated = () => { };

        var attempts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => host.SendAsync(hook, "{}", "one")));

        Assert.Single(host.Engine.Runs);
        Assert.Single(attempts.Select(attempt => attempt.Body.GetProperty("runId").GetString()).Distinct());

        // Also when the workflow has gone meanwhile, and for as long as it is remembered.
        host.Engine.OnCreate = CountingEngine.NoWorkflow;
        Assert.Equal(200, (await host.SendAsync(hook, "{}", "one")).Status);
        Assert.Equal(0, await host.Store.ForgetAsync(host.Time.GetUtcNow(), 10, CancellationToken.None));
        Assert.Equal(1, await host.Store.ForgetAsync(host.Time.GetUtcNow().AddSeconds(1), 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_workflow_that_is_gone_is_told_apart_from_one_that_refuses()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("gone");
        host.Engine.OnCreate = CountingEngine.NoWorkflow;

        // It is there: whatever the engine says is about the delivery.
        Assert.Equal("validation_error", (await RefusedAsync(() => host.SendAsync(hook, "{}"))).Code.Name);
    }

    [Fact]
    public async Task Nothing_in_the_database_shows_a_secret()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("sealed", "\"secret\":\"the plain secret of this test\"");
        Assert.Equal("the plain secret of this test", hook.Secret);

        await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
        await using var row = await session.QueryAsync("SELECT spec, secret FROM inbound_webhooks WHERE id = $1", hook.Id);
        Assert.True(await row.ReadAsync());
        for (var column = 0; column < 2; column++)
            Assert.DoesNotContain("plain secret", Encoding.Latin1.GetString(row.GetFieldValue<byte[]>(column)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_move_to_a_new_key_and_the_old_one_can_go()
    {
        using var folder = new TempFolder();
        var settings = store.Settings;
        var (first, second) = (NewKey(), NewKey());
        Hook hook;
        byte[] before;
        await using (var host = await StartAsync(first))
        {
            hook = await host.CreateAsync("resealed");
            before = await SecretAsync(host);
        }

        await using (var host = await StartAsync($"{second},{first}"))
            await Eventually.TrueAsync(async () => !(await SecretAsync(host)).SequenceEqual(before));

        await using (var host = await StartAsync(second))
            Assert.Equal(202, (await host.SendAsync(hook, "{}")).Status);

        Task<EngineHost> StartAsync(string keys) => EngineHost.StartAsync([.. settings, $"OPENWOP_SECRETS_KEY={keys}"], folder);

        async Task<byte[]> SecretAsync(EngineHost host)
        {
            await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
            return (await session.ScalarAsync<byte[]>("SELECT secret FROM inbound_webhooks WHERE id = $1", hook.Id))!;
        }

        static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    }

    [Fact]
    public async Task A_former_secret_is_good_until_its_time_is_over()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("rotated");
        var rotated = JsonElement.Parse((await host.Client.RotateInboundSecretAsync(
            new RotateInboundSecretRequest { Id = hook.Id, Body = ByteString.CopyFromUtf8("""{"overlapSeconds":60}""") }, await host.UserAsync())).Json.Span);
        var next = hook with { Secret = rotated.GetProperty("secret").GetString()! };

        Assert.Equal(202, (await host.SendAsync(hook, "{}")).Status);
        Assert.Equal(202, (await host.SendAsync(next, "{}")).Status);
        host.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("unauthenticated", (await RefusedAsync(() => host.SendAsync(hook, "{}"))).Code.Name);
        Assert.Equal(202, (await host.SendAsync(next, "{}")).Status);
    }

    [Fact]
    public async Task Only_what_is_signed_counts_against_the_rate()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("limited", "\"ratePerMinute\":2");
        for (var i = 0; i < 5; i++)
            Assert.Equal("unauthenticated", (await RefusedAsync(() => host.SendAsync(hook with { Secret = "wrong" }, "{}"))).Code.Name);

        Assert.Equal(202, (await host.SendAsync(hook, "{}", "a")).Status);
        Assert.Equal(202, (await host.SendAsync(hook, "{}")).Status);
        var refused = await RefusedAsync(() => host.SendAsync(hook, "{}"));
        Assert.Equal("rate_limited", refused.Code.Name);
        Assert.InRange((long)refused.Details!["retryAfterMs"]!, 1, 60_000);

        // What was accepted before costs nothing.
        Assert.Equal(200, (await host.SendAsync(hook, "{}", "a")).Status);
        host.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(202, (await host.SendAsync(hook, "{}")).Status);
    }

    [Fact]
    public async Task Paths_belong_to_a_tenant_and_a_mode()
    {
        await using var host = await StartAsync();
        await host.StoreWorkflowAsync("other");
        var hook = await host.CreateAsync("mine");

        await host.CreateAsync("mine", isTest: true);
        await host.CreateAsync("mine", tenant: "other");
        Assert.Equal("webhook_path_taken", (await RefusedAsync(() => host.CreateAsync("mine"))).Code.Name);
        Assert.Equal("not_found", (await RefusedAsync(async () => await host.Client.DeleteInboundWebhookAsync(
            new DeleteInboundWebhookRequest { Id = hook.Id }, await host.UserAsync("other")))).Code.Name);

        await host.Client.DeleteInboundWebhookAsync(new DeleteInboundWebhookRequest { Id = hook.Id }, await host.UserAsync());
        Assert.Equal("not_found", (await RefusedAsync(() => host.SendAsync(hook, "{}"))).Code.Name);
        Assert.NotEqual(hook.Token, (await host.CreateAsync("mine")).Token);
    }

    [Fact]
    public async Task Pages_are_complete_and_in_the_order_of_making()
    {
        await using var host = await StartAsync();
        for (var i = 0; i < 5; i++)
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(1));
            await host.CreateAsync($"p{i}");
        }

        var seen = new List<string>();
        var after = "";
        do
        {
            var page = await host.Client.ListInboundWebhooksAsync(new ListInboundWebhooksRequest { After = after, Limit = 2, BaseUrl = "https://here" }, await host.UserAsync());
            seen.AddRange(page.Webhooks.Select(json => JsonElement.Parse(json.Span).GetProperty("path").GetString()!));
            after = page.Next;
        }
        while (after.Length > 0);

        Assert.Equal(["p0", "p1", "p2", "p3", "p4"], seen);
    }

    [Fact]
    public async Task Slack_asks_whose_the_URL_is_and_sends_forms()
    {
        await using var host = await StartAsync();
        var hook = await host.CreateAsync("slack", "\"scheme\":\"slack\"");

        var (status, answer) = await SendAsync("""{"type":"url_verification","challenge":"who"}""");
        Assert.Equal((200, "who"), (status, answer.GetProperty("challenge").GetString()));
        Assert.Empty(host.Engine.Runs);

        Assert.Equal(202, (await SendAsync("command=%2Fgo&text=a+b", "application/x-www-form-urlencoded")).Status);
        Assert.Equal(
            """{"command":"/go","text":"a b"}""", JsonElement.Parse(Assert.Single(host.Engine.Runs).Body.Span).GetProperty("inputs").GetRawText());

        Task<(int Status, JsonElement Body)> SendAsync(string body, string contentType = "application/json")
        {
            var at = host.Time.GetUtcNow().ToUnixTimeSeconds();
            return host.SendAsync(hook, body, new Dictionary<string, string>
            {
                ["content-type"] = contentType,
                ["x-slack-request-timestamp"] = $"{at}",
                ["x-slack-signature"] = "v0=" + hook.Hmac($"v0:{at}:{body}"),
            });
        }
    }

    [Fact]
    public async Task A_user_cannot_deliver_past_the_gateway()
    {
        await using var host = await StartAsync();
        var user = await host.UserAsync();
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.DeliverAsync(new DeliverRequest(), user));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    private Task<EngineHost> StartAsync() => EngineHost.StartAsync(store.Settings);

    private static async Task<ProtocolError> RefusedAsync<T>(Func<Task<T>> call) => (await Assert.ThrowsAsync<RpcException>(async () => await call())).ToProtocolError();
}
