using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using OpenWop.Micro.Contracts.Webhooks.V1;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;
using OpenWop.Micro.Webhooks.Tests.Hosting;

namespace OpenWop.Micro.Webhooks.Tests;

public sealed class RegistrationOnSqliteTests(OnSqlite stores) : RegistrationTests(stores), IClassFixture<OnSqlite>;

public sealed class RegistrationOnPostgreSqlTests(OnPostgreSql stores) : RegistrationTests(stores), IClassFixture<OnPostgreSql>;

public abstract class RegistrationTests(Stores stores)
{
    private static readonly Uri Public = new("https://hooks.example.com/runs");

    [Fact]
    public async Task A_registration_answers_with_a_secret_and_its_fingerprint_and_keeps_neither_in_the_clear()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings, isOpen: false);
        var reply = await host.RegisterAsync(Public);
        Assert.Matches("^wh_[0-9a-f]{32}$", reply.WebhookId);
        Assert.Matches("^[0-9a-f]{64}$", reply.Secret);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reply.Secret)))[..8], reply.SecretFingerprint);
        await using var session = await host.Database.OpenReadAsync(CancellationToken.None);
        var stored = await session.ScalarAsync<byte[]>("SELECT secret FROM subscriptions WHERE webhook_id = $1", reply.WebhookId);
        Assert.DoesNotContain(reply.Secret, Encoding.Latin1.GetString(stored!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"url":"https://a.example.com/"}""", "validation_error")]
    [InlineData("""{"url":"https://a.example.com/","events":[]}""", "validation_error")]
    [InlineData("""{"url":"https://a.example.com/","events":["run.*"]}""", "validation_error")]
    [InlineData("""{"url":"https://a.example.com/","events":["run.completed"],"more":1}""", "validation_error")]
    [InlineData("""{"url":"no address","events":["run.completed"]}""", "validation_error")]
    [InlineData("""{"url":"https://a.example.com/","events":["run.completed"],"secret":"short"}""", "validation_error")]
    [InlineData("""{"url":"http://a.example.com/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"ftp://a.example.com/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://user:word@a.example.com/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://localhost/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://metadata.google.internal/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://127.0.0.1/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://2130706433/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://169.254.169.254/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://10.1.2.3/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://[::1]/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://[::ffff:10.0.0.1]/","events":["run.completed"]}""", "webhook_url_rejected")]
    [InlineData("""{"url":"https://[fd00::1]/","events":["run.completed"]}""", "webhook_url_rejected")]
    public async Task What_is_no_registration_is_refused(string body, string code)
    {
        await using var host = await WebhooksHost.StartAsync(isOpen: false);
        await IsRefusedAsync(() => host.RegisterAsync(body), code);
    }

    [Fact]
    public async Task The_tenant_of_the_credential_counts_and_not_the_one_of_the_body()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings, isOpen: false);
        var reply = await host.RegisterAsync("""{"url":"https://a.example.com/","events":["run.completed"],"tenantId":"conformance-tenant"}""");
        await host.Client.UnregisterWebhookAsync(new UnregisterWebhookRequest { WebhookId = reply.WebhookId }, await host.UserAsync());
    }

    [Fact]
    public async Task A_chosen_secret_is_taken()
    {
        await using var host = await WebhooksHost.StartAsync(isOpen: false);
        var reply = await host.RegisterAsync("""{"url":"https://a.example.com/","events":["run.completed"],"secret":"a-secret-of-my-own"}""");
        Assert.Equal("a-secret-of-my-own", reply.Secret);
    }

    [Fact]
    public async Task The_same_request_makes_one_subscription_and_gets_the_same_answer()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings, isOpen: false);
        var first = await host.RegisterAsync(Public, requestId: "r1");
        var again = await host.RegisterAsync(Public, requestId: "r1");
        Assert.True(again.Replayed);
        Assert.Equal((first.WebhookId, first.Secret), (again.WebhookId, again.Secret));

        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => host.RegisterAsync(Public, requestId: "r2")));
        Assert.Single(together.Select(reply => reply.WebhookId).Distinct());
        Assert.NotEqual(first.WebhookId, (await host.RegisterAsync(Public, tenant: "other", requestId: "r1")).WebhookId);
    }

    [Fact]
    public async Task A_subscription_of_another_tenant_or_mode_does_not_exist()
    {
        await using var host = await WebhooksHost.StartAsync(stores.Settings, isOpen: false);
        var mine = new UnregisterWebhookRequest { WebhookId = (await host.RegisterAsync(Public)).WebhookId };
        await IsRefusedAsync(async () => await host.Client.UnregisterWebhookAsync(mine, await host.UserAsync("other")), "not_found");
        await IsRefusedAsync(async () => await host.Client.UnregisterWebhookAsync(mine, await host.UserAsync(isTest: true)), "not_found");
        await host.Client.UnregisterWebhookAsync(mine, await host.UserAsync());
        await IsRefusedAsync(async () => await host.Client.UnregisterWebhookAsync(mine, await host.UserAsync()), "not_found");
    }

    [Fact]
    public async Task A_tenant_has_only_so_many()
    {
        await using var host = await WebhooksHost.StartAsync([.. stores.Settings, "OPENWOP_WEBHOOKS_PER_TENANT=2"], isOpen: false);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            try
            {
                await host.RegisterAsync(Public);
                return "";
            }
            catch (RpcException refused)
            {
                return refused.ToProtocolError().Code.Name;
            }
        }));
        Assert.Equal(2, outcomes.Count(outcome => outcome.Length == 0));
        Assert.All(outcomes.Where(outcome => outcome.Length > 0), outcome => Assert.Equal("webhook_limit_reached", outcome));
        await host.RegisterAsync(Public, tenant: "other");
    }

    [Fact]
    public async Task Services_have_no_subscriptions()
    {
        await using var host = await WebhooksHost.StartAsync(isOpen: false);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.RegisterWebhookAsync(new RegisterWebhookRequest()));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    private static async Task IsRefusedAsync(Func<Task> call, string code) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).ToProtocolError().Code.Name);
}
