using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests;

/// <summary>Several instances of identity on one database.</summary>
public sealed class PostgreSqlTests
{
    [Fact]
    public async Task Instances_share_keys_and_believe_each_others_tokens()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        var setting = $"--OPENWOP_POSTGRES={server.ConnectionString}";
        var hosts = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => IdentityHost.StartAsync(settings: setting)));
        try
        {
            var (first, second) = (hosts[0], hosts[1]);
            var (key, info) = await first.CreateKeyAsync("acme", ["runs:read", "keys:manage"], isTest: true);
            var next = ApiKeyText.Create(isTest: true);

            var atFirst = await first.VerifyAsync(key);
            var atSecond = await second.VerifyAsync(key);
            Assert.Equal((atFirst.KeyId, atFirst.Tenant, atFirst.Principal, true), (atSecond.KeyId, atSecond.Tenant, atSecond.Principal, atSecond.IsTest));
            Assert.Equal(KeyStatus.Active, (await second.VerifyAsync(IdentityHost.BootstrapKey)).Status);
            foreach (var verifier in hosts)
            {
                foreach (var issuer in hosts)
                {
                    var token = (await issuer.VerifyAsync(key)).Tokens["workflows"];
                    Assert.Equal("acme", (await verifier.NetworkWorkflows.GetDefinitionAsync(new GetDefinitionRequest(), IdentityHost.Bearer(token))).Owner);
                }
            }

            var rotations = await Task.WhenAll(hosts.SelectMany(host => Enumerable.Repeat(host, 4)).Select(async (host, number) =>
            {
                try
                {
                    var hash = number == 0 ? IdentityHost.HashOf(next) : IdentityHost.HashOf("hk_test_" + number);
                    await host.Service.RotateKeyAsync(new RotateKeyRequest { Tenant = "acme", KeyId = info.KeyId, NewKeyHash = hash, GraceSeconds = 60 });
                    return true;
                }
                catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
                {
                    return false;
                }
            }));
            Assert.Equal(1, rotations.Count(rotated => rotated));
            var keys = (await second.Service.ListKeysAsync(new ListKeysRequest { Tenant = "acme" })).Keys;
            Assert.Equal(2, keys.Count);

            await second.Service.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "acme", KeyId = info.KeyId });
            Assert.Equal(KeyStatus.Revoked, (await first.VerifyAsync(key)).Status);
        }
        finally
        {
            foreach (var host in hosts)
                await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Creating_the_same_key_at_several_instances_creates_one()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        var setting = $"--OPENWOP_POSTGRES={server.ConnectionString}";
        await using var first = await IdentityHost.StartAsync(settings: setting);
        await using var second = await IdentityHost.StartAsync(settings: setting);
        var request = new CreateKeyRequest { Tenant = "acme", KeyHash = IdentityHost.HashOf("hk_same"), Scopes = { "runs:read" } };

        var keys = await Task.WhenAll(Enumerable.Range(0, 12).Select(number => (number % 2 == 0 ? first : second).Service.CreateKeyAsync(request).ResponseAsync));

        Assert.Single(keys.Select(key => key.KeyId).Distinct());
    }
}
