using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Identity.Tests;

public sealed class KeyManagementTests
{
    [Fact]
    public async Task A_rotated_key_and_its_successor_overlap_as_the_same_principal()
    {
        await using var host = await IdentityHost.StartAsync();
        var (oldKey, oldInfo) = await host.CreateKeyAsync("acme", ["runs:read", "keys:manage"]);
        var newKey = ApiKeyText.Create(isTest: false);
        var rotation = new RotateKeyRequest { Tenant = "acme", KeyId = oldInfo.KeyId, NewKeyHash = IdentityHost.HashOf(newKey), GraceSeconds = 3600 };

        var rotated = await host.Service.RotateKeyAsync(rotation);
        var again = await host.Service.RotateKeyAsync(rotation);

        Assert.Equal(rotated, again);
        Assert.Equal(host.Time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds(), rotated.Replaced.RevokedAt);
        host.Time.Advance(TimeSpan.FromMinutes(59));
        var (before, after) = (await host.VerifyAsync(oldKey), await host.VerifyAsync(newKey));
        Assert.Equal(KeyStatus.Active, before.Status);
        Assert.Equal(KeyStatus.Active, after.Status);
        Assert.Equal((before.Tenant, before.Principal, before.IsTest), (after.Tenant, after.Principal, after.IsTest));
        Assert.Equal(before.Scopes, after.Scopes);
        Assert.NotEqual(before.KeyId, after.KeyId);

        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(KeyStatus.Revoked, (await host.VerifyAsync(oldKey)).Status);
        Assert.Equal(KeyStatus.Active, (await host.VerifyAsync(newKey)).Status);
    }

    [Fact]
    public async Task The_grace_time_is_a_day_unless_said_otherwise()
    {
        await using var host = await IdentityHost.StartAsync();
        var (_, info) = await host.CreateKeyAsync("acme", ["runs:read"]);

        var rotated = await host.Service.RotateKeyAsync(
            new RotateKeyRequest { Tenant = "acme", KeyId = info.KeyId, NewKeyHash = IdentityHost.HashOf("hk_next") });

        Assert.Equal(host.Time.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds(), rotated.Replaced.RevokedAt);
    }

    [Fact]
    public async Task A_key_that_is_being_replaced_cannot_be_rotated_again()
    {
        await using var host = await IdentityHost.StartAsync();
        var (_, info) = await host.CreateKeyAsync("acme", ["runs:read"]);
        await host.Service.RotateKeyAsync(new RotateKeyRequest { Tenant = "acme", KeyId = info.KeyId, NewKeyHash = IdentityHost.HashOf("hk_1") });

        await host.Service.RotateKeyAsync(new RotateKeyRequest { Tenant = "acme", KeyId = info.KeyId, NewKeyHash = IdentityHost.HashOf("hk_2") })
            .FailsAsync(StatusCode.FailedPrecondition);

        Assert.Equal(KeyStatus.Unknown, (await host.VerifyAsync("hk_2")).Status);
    }

    [Fact]
    public async Task Twenty_rotations_at_once_make_one_successor()
    {
        await using var host = await IdentityHost.StartAsync();
        var (_, info) = await host.CreateKeyAsync("acme", ["runs:read"]);

        var attempts = await Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
        {
            try
            {
                await host.Service.RotateKeyAsync(
                    new RotateKeyRequest { Tenant = "acme", KeyId = info.KeyId, NewKeyHash = IdentityHost.HashOf("hk_" + number) });
                return true;
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
            {
                return false;
            }
        }));

        Assert.Equal(1, attempts.Count(succeeded => succeeded));
        Assert.Equal(2, (await host.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme" })).Keys.Count);
    }

    [Fact]
    public async Task Creating_the_same_key_twice_creates_one()
    {
        await using var host = await IdentityHost.StartAsync();
        var request = new CreateKeyRequest { Tenant = "acme", KeyHash = IdentityHost.HashOf("hk_same"), Scopes = { "runs:read", "runs:create", "runs:read" }, Name = "ci" };

        var keys = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => host.Service.CreateKeyAsync(request).ResponseAsync));

        Assert.Single(keys.Distinct());
        Assert.Equal(["runs:create", "runs:read"], keys[0].Scopes);
        Assert.Equal("key:" + keys[0].KeyId, keys[0].Principal);
        await host.Service.CreateKeyAsync(new CreateKeyRequest(request) { Tenant = "other" }).FailsAsync(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_user_manages_the_keys_of_its_own_tenant_and_of_no_other()
    {
        await using var host = await IdentityHost.StartAsync();
        var (adminKey, _) = await host.CreateKeyAsync("acme", ["keys:manage", "runs:read"]);
        var (_, foreign) = await host.CreateKeyAsync("other", ["runs:read"]);
        var admin = await host.UserAsync(adminKey);

        var made = await admin.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf("hk_made"), Scopes = { "runs:read" } });
        Assert.Equal("acme", made.Tenant);
        Assert.All((await admin.ListKeysAsync(new ListKeysRequest())).Keys, key => Assert.Equal("acme", key.Tenant));

        await admin.CreateKeyAsync(new CreateKeyRequest { Tenant = "other", KeyHash = IdentityHost.HashOf("hk_x"), Scopes = { "runs:read" } })
            .FailsAsync(StatusCode.PermissionDenied);
        await admin.ListKeysAsync(new ListKeysRequest { Tenant = "other" }).FailsAsync(StatusCode.PermissionDenied);
        var absent = await admin.RevokeKeyAsync(new RevokeKeyRequest { KeyId = "key-000000000000000000000000000000" }).FailsAsync(StatusCode.NotFound);
        var hidden = await admin.RevokeKeyAsync(new RevokeKeyRequest { KeyId = foreign.KeyId }).FailsAsync(StatusCode.NotFound);
        Assert.Equal(absent.ToProtocolError().ToUtf8Bytes(), hidden.ToProtocolError().ToUtf8Bytes());
        await admin.RotateKeyAsync(new RotateKeyRequest { KeyId = foreign.KeyId, NewKeyHash = IdentityHost.HashOf("hk_y") }).FailsAsync(StatusCode.NotFound);
    }

    [Fact]
    public async Task A_test_key_sees_and_makes_test_keys_only()
    {
        await using var host = await IdentityHost.StartAsync();
        var (testKey, testInfo) = await host.CreateKeyAsync("acme", ["*"], isTest: true);
        var (_, live) = await host.CreateKeyAsync("acme", ["*"]);
        var tester = await host.UserAsync(testKey);

        Assert.Equal([testInfo.KeyId], (await tester.ListKeysAsync(new ListKeysRequest())).Keys.Select(key => key.KeyId));
        await tester.RevokeKeyAsync(new RevokeKeyRequest { KeyId = live.KeyId }).FailsAsync(StatusCode.NotFound);
        await tester.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf("hk_live"), Scopes = { "*" } }).FailsAsync(StatusCode.PermissionDenied);
        await tester.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf("hk_test_1"), IsTest = true, Scopes = { "*" } });
    }

    [Fact]
    public async Task Nobody_gives_scopes_that_he_does_not_have()
    {
        await using var host = await IdentityHost.StartAsync();
        var (adminKey, _) = await host.CreateKeyAsync("acme", ["keys:manage", "runs:read"]);
        var (_, powerful) = await host.CreateKeyAsync("acme", ["*"]);
        var (readerKey, _) = await host.CreateKeyAsync("acme", ["runs:read"]);
        var admin = await host.UserAsync(adminKey);

        var refusal = await admin.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf("hk_x"), Scopes = { "runs:read", "runs:create" } })
            .FailsAsync(StatusCode.PermissionDenied);
        Assert.Equal("runs:create", refusal.ToProtocolError().Details!["scopeRequired"]!.GetValue<string>());
        await admin.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf("hk_x"), Scopes = { "*" } }).FailsAsync(StatusCode.PermissionDenied);
        await admin.RotateKeyAsync(new RotateKeyRequest { KeyId = powerful.KeyId, NewKeyHash = IdentityHost.HashOf("hk_x") }).FailsAsync(StatusCode.PermissionDenied);

        var reader = await host.UserAsync(readerKey);
        await reader.ListKeysAsync(new ListKeysRequest()).FailsAsync(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task Whatever_is_out_of_its_limits_is_refused_by_name()
    {
        await using var host = await IdentityHost.StartAsync();
        var good = new CreateKeyRequest { Tenant = "acme", KeyHash = IdentityHost.HashOf("hk_x"), Scopes = { "runs:read" } };
        (string Field, Action<CreateKeyRequest> Spoil)[] cases =
        [
            ("tenant", request => request.Tenant = "a b"),
            ("tenant", request => request.Tenant = new string('a', 65)),
            ("keyHash", request => request.KeyHash = ByteString.CopyFromUtf8("short")),
            ("name", request => request.Name = new string('n', 201)),
            ("name", request => request.Name = "line\nbreak"),
            ("principal", request => request.Principal = new string('p', 201)),
            ("scopes", request => request.Scopes.Clear()),
            ("scopes", request => request.Scopes.Add("Runs Read")),
            ("scopes", request => request.Scopes.Add(Enumerable.Range(0, 64).Select(number => "scope" + number))),
            ("expiresAt", request => request.ExpiresAt = 1),
        ];

        foreach (var (field, spoil) in cases)
        {
            var request = good.Clone();
            spoil(request);
            var refusal = await host.Service.CreateKeyAsync(request).FailsAsync(StatusCode.InvalidArgument);
            Assert.Equal(field, refusal.ToProtocolError().Details!["field"]!.GetValue<string>());
        }

        await host.Service.CreateKeyAsync(new CreateKeyRequest(good) { Tenant = "" }).FailsAsync(StatusCode.InvalidArgument);
        await host.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme", Limit = 201 }).FailsAsync(StatusCode.InvalidArgument);
        await host.Service.RotateKeyAsync(new RotateKeyRequest { Tenant = "acme", KeyId = "x", NewKeyHash = good.KeyHash, GraceSeconds = -1 })
            .FailsAsync(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Pages_of_keys_hold_each_key_once()
    {
        await using var host = await IdentityHost.StartAsync();
        var made = new List<string>();
        for (var i = 0; i < 7; i++)
            made.Add((await host.CreateKeyAsync("acme", ["runs:read"])).Info.KeyId);

        var listed = new List<string>();
        while (true)
        {
            var page = await host.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme", After = listed.LastOrDefault() ?? "", Limit = 3 });
            listed.AddRange(page.Keys.Select(key => key.KeyId));
            if (page.Keys.Count < 3)
                break;
        }

        Assert.Equal(made.Order(StringComparer.Ordinal), listed);
    }
}
