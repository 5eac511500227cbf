using System.Net;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>Credential, rate limit, scope, idempotency, body, service (spec/http-core.md 5.3).</summary>
public sealed class CheckOrderTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer unknown")]
    [InlineData("Bearer two words")]
    [InlineData("Basic aGs6aGs=")]
    [InlineData("hk_test_all")]
    public async Task Without_a_valid_credential_nothing_else_is_looked_at(string? authorization)
    {
        await using var gateway = await GatewayHost.StartAsync();
        (string, string)[] headers = authorization is null ? [] : [("Authorization", authorization)];
        foreach (var (method, path) in new[] { ("POST", "/v1/runs"), ("GET", "/v1/runs/none"), ("GET", "/v1/runs/none/events?streamMode=no"), ("PUT", "/v1/workflows/w") })
        {
            var response = await gateway.SendAsync(method, path, method == "GET" ? null : "not json", key: "", headers);
            await response.ErrorAsync(401, "unauthenticated");
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        }

        Assert.Empty(gateway.Services.Received);
    }

    [Fact]
    public async Task Expired_and_revoked_keys_say_so()
    {
        await using var gateway = await GatewayHost.StartAsync();
        const string Old = "hk_test_that-will-be-old";
        const string Gone = "hk_test_that-will-be-gone";
        var identity = gateway.Provider.GetRequiredService<Contracts.Identity.V1.Identity.IdentityClient>();
        await identity.CreateKeyAsync(NewKey(Old, expiresAt: DateTimeOffset.UtcNow.AddMilliseconds(300)));
        await identity.RevokeKeyAsync(new RevokeKeyRequest { Tenant = "tenant-a", KeyId = (await identity.CreateKeyAsync(NewKey(Gone))).KeyId });
        await (await gateway.SendAsync("GET", "/v1/runs/run-1", key: Gone)).ErrorAsync(401, "key_revoked");
        await Eventually.TrueAsync(async () => (await gateway.SendAsync("GET", "/v1/runs/run-1", key: Old)).StatusCode != HttpStatusCode.OK);
        await (await gateway.SendAsync("GET", "/v1/runs/run-1", key: Old)).ErrorAsync(401, "key_expired");
    }

    [Fact]
    public async Task A_key_without_the_scope_is_refused_before_its_body_is_read()
    {
        await using var gateway = await GatewayHost.StartAsync();
        var envelope = await (await gateway.SendAsync("POST", "/v1/runs", "not json", key: GatewayHost.ReaderKey)).ErrorAsync(403, "forbidden");
        Assert.Equal("runs:create", envelope.GetProperty("details").GetProperty("scopeRequired").GetString());
        Assert.Equal(200, (int)(await gateway.SendAsync("GET", "/v1/runs/run-1", key: GatewayHost.ReaderKey)).StatusCode);
    }

    [Fact]
    public async Task The_rate_limit_comes_before_the_scope_and_leaves_public_routes_alone()
    {
        var time = new FakeTimeProvider();
        await using var gateway = await GatewayHost.StartAsync(time, "--OPENWOP_RATELIMIT_PER_MINUTE=2");
        for (var i = 0; i < 2; i++)
            await (await gateway.SendAsync("POST", "/v1/runs", "{}", key: GatewayHost.ReaderKey)).ErrorAsync(403, "forbidden");

        var response = await gateway.SendAsync("POST", "/v1/runs", "{}", key: GatewayHost.ReaderKey);
        var details = (await response.ErrorAsync(429, "rate_limited")).GetProperty("details");
        Assert.Equal("key", details.GetProperty("scope").GetString());
        Assert.Equal(2, details.GetProperty("limit").GetInt32());
        Assert.Equal(30_000, details.GetProperty("retryAfterMs").GetInt64());
        Assert.Equal("30", response.Header("Retry-After"));

        Assert.Equal(200, (int)(await gateway.SendAsync("GET", "/.well-known/openwop", key: GatewayHost.ReaderKey)).StatusCode);
        Assert.Equal(200, (int)(await gateway.SendAsync("GET", "/v1/runs/run-1")).StatusCode);

        time.Advance(TimeSpan.FromSeconds(30));
        await (await gateway.SendAsync("POST", "/v1/runs", "{}", key: GatewayHost.ReaderKey)).ErrorAsync(403, "forbidden");
    }

    [Fact]
    public async Task Forced_limits_refuse_everything_but_discovery()
    {
        await using var gateway = await GatewayHost.StartAsync(null, "--OPENWOP_FORCE_RATE_LIMIT=true");
        foreach (var (method, path) in new[] { ("GET", "/v1/runs/run-1"), ("POST", "/v1/runs"), ("GET", "/v1/runs/run-1/events"), ("GET", "/v1/interrupts/token") })
        {
            var response = await gateway.SendAsync(method, path, method == "POST" ? "{}" : null);
            var details = (await response.ErrorAsync(429, "rate_limited")).GetProperty("details");
            Assert.Equal(("global", 1000), (details.GetProperty("scope").GetString(), details.GetProperty("retryAfterMs").GetInt32()));
            Assert.Equal("1", response.Header("Retry-After"));
        }

        foreach (var path in new[] { "/.well-known/openwop", "/v1/openapi.json" })
            Assert.Equal(200, (int)(await gateway.SendAsync("GET", path)).StatusCode);
    }

    [Fact]
    public async Task A_bad_credential_does_not_matter_where_none_is_needed()
    {
        await using var gateway = await GatewayHost.StartAsync();
        foreach (var path in new[] { "/.well-known/openwop", "/v1/openapi.json", "/healthz", "/readyz" })
            Assert.Equal(200, (int)(await gateway.SendAsync("GET", path, key: "unknown")).StatusCode);
    }

    [Fact]
    public async Task Only_test_keys_may_force_an_engine_version_whatever_its_value()
    {
        await using var gateway = await GatewayHost.StartAsync();
        await (await gateway.SendAsync("POST", "/v1/runs", "{}", key: GatewayHost.LiveKey, ("X-Force-Engine-Version", "nonsense"))).ErrorAsync(403, "force_engine_version_forbidden");
        await (await gateway.SendAsync("POST", "/v1/runs", "{}", headers: ("X-Force-Engine-Version", "nonsense"))).ErrorAsync(400, "validation_error");
        Assert.Equal(201, (int)(await gateway.SendAsync("POST", "/v1/runs", "{}", headers: ("X-Force-Engine-Version", "2"))).StatusCode);
    }

    private static CreateKeyRequest NewKey(string key, DateTimeOffset? expiresAt = null) => new()
    {
        Tenant = "tenant-a",
        KeyHash = ByteString.CopyFrom(ApiKeyText.Hash(key)),
        IsTest = ApiKeyText.IsTest(key),
        Scopes = { "*" },
        ExpiresAt = expiresAt?.ToUnixTimeMilliseconds() ?? 0,
    };
}
