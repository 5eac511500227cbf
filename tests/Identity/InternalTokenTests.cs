using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Identity.Tokens;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests;

public sealed class InternalTokenTests
{
    private static readonly GetDefinitionRequest AnyRequest = new() { WorkflowId = "w" };

    [Fact]
    public async Task A_users_token_carries_tenant_principal_key_scopes_and_mode()
    {
        await using var host = await IdentityHost.StartAsync();
        var (key, info) = await host.CreateKeyAsync("acme", ["runs:read", "runs:create"], isTest: true);
        var token = (await host.VerifyAsync(key)).Tokens["workflows"];
        var expected = $"key:{info.KeyId} {info.KeyId} runs:create,runs:read test";

        var overNetwork = await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(token));
        var inProcess = await host.ServiceWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(token));

        Assert.Equal(("acme", expected), (overNetwork.Owner, overNetwork.WorkflowId));
        Assert.Equal(("acme", expected), (inProcess.Owner, inProcess.WorkflowId));
        await host.NetworkWorkflows.GetDefinitionAsync(new() { Tenant = "acme" }, IdentityHost.Bearer(token));
        await host.NetworkWorkflows.GetDefinitionAsync(new() { Tenant = "other" }, IdentityHost.Bearer(token)).FailsAsync(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task A_service_uses_its_own_token_and_names_the_tenant()
    {
        await using var host = await IdentityHost.StartAsync();

        var reply = await host.ServiceWorkflows.GetDefinitionAsync(new GetDefinitionRequest { Tenant = "acme" });

        Assert.Equal(("acme", "tester"), (reply.Owner, reply.WorkflowId));
        await host.ServiceWorkflows.GetDefinitionAsync(AnyRequest).FailsAsync(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Without_a_token_only_the_public_methods_answer()
    {
        await using var host = await IdentityHost.StartAsync();

        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest).FailsAsync(StatusCode.Unauthenticated);
        await host.Network.VerifyKeyAsync(new VerifyKeyRequest()).FailsAsync(StatusCode.Unauthenticated);
        await host.Network.ListKeysAsync(new ListKeysRequest { Tenant = "default" }).FailsAsync(StatusCode.Unauthenticated);
        Assert.NotEmpty((await host.Network.GetSigningKeysAsync(new GetSigningKeysRequest())).Jwks);
    }

    [Fact]
    public async Task A_token_for_one_service_does_not_open_another()
    {
        await using var host = await IdentityHost.StartAsync();
        var tokens = (await host.VerifyAsync(IdentityHost.BootstrapKey)).Tokens;

        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(tokens["workflows"]));
        foreach (var audience in tokens.Keys.Where(audience => audience != "workflows"))
            await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(tokens[audience])).FailsAsync(StatusCode.Unauthenticated);
    }

    [Fact]
    public async Task A_token_expires_even_after_it_was_recognized()
    {
        await using var host = await IdentityHost.StartAsync();
        var used = (await host.VerifyAsync(IdentityHost.BootstrapKey)).Tokens["workflows"];
        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(used));

        host.Time.Advance(InternalTokens.Lifetime + InternalTokens.ClockSkew + TimeSpan.FromSeconds(1));

        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(used)).FailsAsync(StatusCode.Unauthenticated);
    }

    [Fact]
    public async Task Forged_tokens_prove_nobody()
    {
        await using var host = await IdentityHost.StartAsync();
        var good = (await host.VerifyAsync(IdentityHost.BootstrapKey)).Tokens["workflows"];
        var parts = good.Split('.');
        var header = Base64UrlEncoder.Decode(parts[0]);
        using var stranger = SigningKey.Create(host.Time.GetUtcNow());
        var genuine = host.Services.GetRequiredService<SigningKeys>().Current;
        string[] forged =
        [
            "",
            "x",
            "a.b.c",
            new string('x', 10_000),
            good + "x",
            good[..^4] + "AAAA",
            $"{parts[0]}.{Encode(Base64UrlEncoder.Decode(parts[1]).Replace("default", "victim", StringComparison.Ordinal))}.{parts[2]}",
            $"{Encode(header.Replace("ES256", "none", StringComparison.Ordinal))}.{parts[1]}.",
            $"{Encode(header.Replace("ES256", "HS256", StringComparison.Ordinal))}.{parts[1]}.{parts[2]}",
            Forge(stranger.Credentials, Claims()),
            Forge(new SigningCredentials(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = genuine.KeyId }, "ES256"), Claims()),
            Forge(genuine.Credentials, Claims(), issuer: "somebody"),
            Forge(genuine.Credentials, Claims(), audience: "runs"),
            Forge(genuine.Credentials, Claims(), lifetime: TimeSpan.FromHours(1)),
            Forge(genuine.Credentials, Claims(), from: TimeSpan.FromMinutes(-10)),
            Forge(genuine.Credentials, Claims(), from: TimeSpan.FromMinutes(2)),
            Forge(genuine.Credentials, Claims(without: InternalTokens.TenantClaim)),
            Forge(genuine.Credentials, Claims(without: InternalTokens.ModeClaim)),
            Forge(genuine.Credentials, Claims(without: InternalTokens.ScopesClaim)),
        ];

        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(Forge(genuine.Credentials, Claims())));
        foreach (var token in forged)
            await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(token)).FailsAsync(StatusCode.Unauthenticated);

        static Dictionary<string, object> Claims(string? without = null)
        {
            var claims = new Dictionary<string, object>
            {
                [InternalTokens.TenantClaim] = "acme",
                [InternalTokens.PrincipalClaim] = "p",
                [InternalTokens.KeyIdClaim] = "k",
                [InternalTokens.ScopesClaim] = new[] { "*" },
                [InternalTokens.ModeClaim] = "live",
            };
            claims.Remove(without ?? "");
            return claims;
        }

        string Forge(
            SigningCredentials credentials,
            Dictionary<string, object> claims,
            string issuer = "identity",
            string audience = "workflows",
            TimeSpan from = default,
            TimeSpan? lifetime = null)
        {
            var notBefore = (host.Time.GetUtcNow() + from).UtcDateTime;
            return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
            {
                Issuer = issuer,
                Audience = audience,
                NotBefore = notBefore,
                IssuedAt = notBefore,
                Expires = notBefore + (lifetime ?? TimeSpan.FromMinutes(5)),
                Claims = claims,
                SigningCredentials = credentials,
            });
        }

        static string Encode(string text) => Base64UrlEncoder.Encode(text);
    }

    [Fact]
    public async Task The_service_secret_opens_and_nothing_else_does()
    {
        await using var host = await IdentityHost.StartAsync();

        var reply = await host.Network.IssueServiceTokenAsync(
            new IssueServiceTokenRequest { Service = "runs", Secret = ByteString.CopyFromUtf8(IdentityHost.Secret) });

        var who = await host.NetworkWorkflows.GetDefinitionAsync(new() { Tenant = "acme" }, IdentityHost.Bearer(reply.Tokens["workflows"]));
        Assert.Equal("runs", who.WorkflowId);
        Assert.InRange(reply.ExpiresAt - host.Time.GetUtcNow().ToUnixTimeSeconds(), 1, 300);
        foreach (var wrong in new[] { "", "wrong", IdentityHost.Secret + "x", IdentityHost.Secret[..^1] })
        {
            await host.Network.IssueServiceTokenAsync(new IssueServiceTokenRequest { Service = "runs", Secret = ByteString.CopyFromUtf8(wrong) })
                .FailsAsync(StatusCode.PermissionDenied);
        }

        await host.Network.IssueServiceTokenAsync(new IssueServiceTokenRequest { Service = "a b", Secret = ByteString.CopyFromUtf8(IdentityHost.Secret) })
            .FailsAsync(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Service_tokens_are_renewed_before_they_expire()
    {
        await using var host = await IdentityHost.StartAsync();

        for (var step = 0; step < 12; step++)
        {
            host.Time.Advance(TimeSpan.FromMinutes(1));
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    await host.ServiceWorkflows.GetDefinitionAsync(new() { Tenant = "acme" });
                    return true;
                }
                catch (RpcException)
                {
                    // The renewal may have set its timer after the clock was moved.
                    host.Time.Advance(TimeSpan.FromSeconds(1));
                    return false;
                }
            });
        }
    }

    [Fact]
    public async Task A_new_signing_key_takes_over_while_tokens_of_the_old_one_still_work()
    {
        await using var host = await IdentityHost.StartAsync();
        var keys = host.Services.GetRequiredService<SigningKeys>();
        var old = keys.Current;
        var oldToken = (await host.VerifyAsync(IdentityHost.BootstrapKey)).Tokens["workflows"];
        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(oldToken));

        await TestDatabase.ExecuteAsync(host, "UPDATE signing_keys SET created_at = 1");
        await keys.RenewAsync(CancellationToken.None);
        host.Time.Advance(TimeSpan.FromMinutes(2));
        var newToken = (await host.VerifyAsync(IdentityHost.BootstrapKey)).Tokens["workflows"];

        Assert.NotEqual(old.KeyId, keys.Current.KeyId);
        Assert.Equal(keys.Current.KeyId, new JsonWebToken(newToken).Kid);
        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(newToken));
        await host.NetworkWorkflows.GetDefinitionAsync(AnyRequest, IdentityHost.Bearer(oldToken));

        host.Time.Advance(TimeSpan.FromHours(2));
        await keys.RenewAsync(CancellationToken.None);
        Assert.Equal(1, await TestDatabase.ScalarAsync<long>(host, "SELECT count(*) FROM signing_keys"));
    }

    [Fact]
    public async Task The_signing_key_outlives_a_restart_and_is_not_readable_in_the_database()
    {
        using var folder = new TempFolder();
        string keyId;
        await using (var host = await IdentityHost.StartAsync(folder))
        {
            var key = host.Services.GetRequiredService<SigningKeys>().Current;
            keyId = key.KeyId;
            var stored = await TestDatabase.ScalarAsync<byte[]>(host, "SELECT private_key FROM signing_keys");
            Assert.Equal(-1, stored.AsSpan().IndexOf(key.ExportPrivate().AsSpan(36, 32)));
        }

        await using (var host = await IdentityHost.StartAsync(folder))
            Assert.Equal(keyId, host.Services.GetRequiredService<SigningKeys>().Current.KeyId);

        await using (var host = await IdentityHost.StartAsync(folder, settings: [$"--{ServiceSecret.Setting}=another secret of more than thirty-two characters"]))
        {
            Assert.NotEqual(keyId, host.Services.GetRequiredService<SigningKeys>().Current.KeyId);
            await host.ServiceWorkflows.GetDefinitionAsync(new() { Tenant = "acme" });
        }
    }

    [Fact]
    public async Task A_short_secret_stops_the_host_and_a_missing_one_is_made_up_only_with_other_services_around()
    {
        var shortSecret = await Assert.ThrowsAsync<InvalidOperationException>(() => IdentityHost.StartAsync(settings: [$"--{ServiceSecret.Setting}=short"]));
        Assert.Contains("at least 32 characters", shortSecret.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short", shortSecret.Message, StringComparison.Ordinal);

        await using var host = await IdentityHost.StartAsync(settings: [$"--{ServiceSecret.Setting}="]);
        Assert.True(host.Services.GetRequiredService<ServiceSecret>().IsGenerated);
        await host.ServiceWorkflows.GetDefinitionAsync(new() { Tenant = "acme" });
    }

    [Theory]
    [InlineData("/openwop.runs.v1.Runs/GetRun", "runs", false)]
    [InlineData("/openwop.identity.v1.Identity/VerifyKey", "identity", false)]
    [InlineData("/openwop.identity.v1.Identity/GetSigningKeys", "identity", true)]
    [InlineData("/openwop.identity.v1.Identity/IssueServiceToken", "identity", true)]
    [InlineData("/openwop.v1.Engine/CreateRun", null, true)]
    [InlineData("/openwop.v1.EngineX/CreateRun", null, false)]
    [InlineData("/openwop.unknown.v1.X/Y", null, false)]
    [InlineData("/grpc.health.v1.Health/Check", null, true)]
    [InlineData("/other.Service/Method", null, false)]
    [InlineData("", null, false)]
    [InlineData("/", null, false)]
    public void The_method_decides_about_audience_and_openness(string method, string? audience, bool isPublic)
    {
        Assert.Equal(audience, InternalTokens.AudienceOf(method));
        Assert.Equal(isPublic, InternalTokens.IsPublic(method));
    }
}
