using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests;

public sealed class KeyVerificationTests
{
    [Fact]
    public async Task The_bootstrap_key_has_all_scopes_of_the_default_tenant()
    {
        await using var host = await IdentityHost.StartAsync();

        var reply = await host.VerifyAsync(IdentityHost.BootstrapKey);

        Assert.Equal(KeyStatus.Active, reply.Status);
        Assert.Equal("default", reply.Tenant);
        Assert.Equal(["*"], reply.Scopes);
        Assert.False(reply.IsTest);
        Assert.StartsWith("key-", reply.KeyId, StringComparison.Ordinal);
        Assert.InRange(reply.MaxAgeSeconds, 1, 5);
        Assert.Equal(["identity", "runs", "scheduler", "webhooks", "workflows"], reply.Tokens.Keys.Order());
    }

    [Fact]
    public async Task Every_status_is_told_and_revoked_comes_before_expired()
    {
        await using var host = await IdentityHost.StartAsync();
        var (active, _) = await host.CreateKeyAsync("acme", ["runs:read"]);
        var (expiring, _) = await host.CreateKeyAsync("acme", ["runs:read"], expiresAt: host.Time.GetUtcNow().AddMinutes(1));
        var (both, bothInfo) = await host.CreateKeyAsync("acme", ["runs:read"], expiresAt: host.Time.GetUtcNow().AddMinutes(1));
        var (revoked, revokedInfo) = await host.CreateKeyAsync("acme", ["runs:read"]);
        Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(expiring)).Status);

        await host.Service.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "acme", KeyId = revokedInfo.KeyId });
        await host.Service.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "acme", KeyId = bothInfo.KeyId });
        host.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(active)).Status);
        Assert.Equal(KeyStatus.Expired, (await host.VerifyAsync(expiring)).Status);
        Assert.Equal(KeyStatus.Revoked, (await host.VerifyAsync(revoked)).Status);
        Assert.Equal(KeyStatus.Revoked, (await host.VerifyAsync(both)).Status);
        var unknown = await host.VerifyAsync("hk_nobody");
        Assert.Equal(KeyStatus.Unknown, unknown.Status);
        Assert.Empty(unknown.Tokens);
        Assert.Empty(unknown.Tenant);
    }

    [Fact]
    public async Task An_answer_is_kept_no_longer_than_the_key_lives()
    {
        await using var host = await IdentityHost.StartAsync();
        var (key, _) = await host.CreateKeyAsync("acme", ["runs:read"], expiresAt: host.Time.GetUtcNow().AddSeconds(2));

        Assert.Equal(2, (await host.VerifyAsync(key)).MaxAgeSeconds);
    }

    [Fact]
    public async Task Only_services_verify_keys_and_only_by_hash()
    {
        await using var host = await IdentityHost.StartAsync();
        var user = await host.UserAsync(IdentityHost.BootstrapKey);

        await user.VerifyKeyAsync(new VerifyKeyRequest { KeyHash = IdentityHost.HashOf("x") }).FailsAsync(StatusCode.PermissionDenied);
        await host.Service.VerifyKeyAsync(new VerifyKeyRequest { KeyHash = Google.Protobuf.ByteString.CopyFromUtf8("hk_plain") })
            .FailsAsync(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_revoked_key_ends_at_once_where_it_is_cached()
    {
        await using var host = await IdentityHost.StartAsync();
        var (key, info) = await host.CreateKeyAsync("acme", ["runs:read"]);
        Assert.Equal("acme", (await host.Keys.VerifyAsync(key, CancellationToken.None)).Caller!.Tenant);

        await host.Service.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "acme", KeyId = info.KeyId });

        // The clock stands still: no answer gets old.
        await Eventually.TrueAsync(async () => (await host.Keys.VerifyAsync(key, CancellationToken.None)).Status == KeyStatus.Revoked);
    }

    [Fact]
    public async Task A_new_key_works_at_once_even_if_it_was_tried_before()
    {
        await using var host = await IdentityHost.StartAsync();
        var key = ApiKeyText.Create(isTest: true);
        Assert.Equal(KeyStatus.Unknown, (await host.Keys.VerifyAsync(key, CancellationToken.None)).Status);

        await host.Service.CreateKeyAsync(new CreateKeyRequest { Tenant = "acme", KeyHash = IdentityHost.HashOf(key), IsTest = true, Scopes = { "*" } });

        await Eventually.TrueAsync(async () => (await host.Keys.VerifyAsync(key, CancellationToken.None)).Status == KeyStatus.Active);
        Assert.True((await host.Keys.VerifyAsync(key, CancellationToken.None)).Caller!.IsTest);
    }

    [Fact]
    public async Task Without_a_notification_a_cached_answer_lasts_five_seconds()
    {
        await using var host = await IdentityHost.StartAsync();
        const string Key = IdentityHost.BootstrapKey;
        var first = await host.Keys.VerifyAsync(Key, CancellationToken.None);
        Assert.Same(first, await host.Keys.VerifyAsync(Key, CancellationToken.None));

        await TestDatabase.ExecuteAsync(host, "UPDATE api_keys SET revoked_at = 1");
        host.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(KeyStatus.Active, (await host.Keys.VerifyAsync(Key, CancellationToken.None)).Status);
        host.Time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(KeyStatus.Revoked, (await host.Keys.VerifyAsync(Key, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_written_down()
    {
        await using var host = await IdentityHost.StartAsync();
        var (key, _) = await host.CreateKeyAsync("acme", ["runs:read"]);
        await host.VerifyAsync(key);
        var used = host.Time.GetUtcNow().ToUnixTimeMilliseconds();

        await Eventually.TrueAsync(async () =>
        {
            host.Time.Advance(TimeSpan.FromSeconds(5));
            return (await host.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme" })).Keys.Single().LastUsedAt == used;
        });

        // The first one is in the audit log as well, once.
        await host.VerifyAsync(key);
        host.Time.Advance(TimeSpan.FromSeconds(30));
        var database = host.Services.GetRequiredKeyedService<Database>("identity");
        await using var session = await database.OpenReadAsync(CancellationToken.None);
        await using var rows = await session.QueryAsync("SELECT entry FROM audit_entries ORDER BY sequence");
        var actions = new List<string?>();
        while (await rows.ReadAsync())
            actions.Add(JsonElement.Parse(rows.GetFieldValue<byte[]>(0)).GetProperty("action").GetString());
        Assert.Equal(["key.created", "key.used"], actions);
    }
}
