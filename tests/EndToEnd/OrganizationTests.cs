using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>Organizations, keys and sessions over HTTP.</summary>
public abstract class OrganizationTests(InstallationFixture server) : IDisposable
{
    private const string Token = "a-bootstrap-token-for-tests-01";
    private const string CookieName = "openwop-session";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = server.Installation.BaseUrl };

    [Fact]
    public async Task From_the_bootstrap_token_to_a_second_member_who_sees_the_same_organization()
    {
        using var wrong = await SendAsync("POST", "/api/bootstrap", body: new { token = "guess", name = "Eve" });
        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), (wrong.StatusCode, await ErrorAsync(wrong)));

        var owner = await JsonAsync("POST", "/api/bootstrap", body: new { token = Token, name = "Ada", organization = "Engines" });
        var key = owner.GetProperty("key").GetString()!;
        Assert.StartsWith("hk_", key, StringComparison.Ordinal);
        using var again = await SendAsync("POST", "/api/bootstrap", body: new { token = Token, name = "Ada" });
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);

        var invitation = await JsonAsync("POST", "/api/invitations", key, new { role = "runner", name = "Grace" });
        var member = await JsonAsync("POST", "/api/invitations/accept", body: new { token = invitation.GetProperty("token").GetString() });
        var me = await JsonAsync("GET", "/api/me", member.GetProperty("key").GetString());

        Assert.Equal("Engines", me.GetProperty("organization").GetProperty("name").GetString());
        Assert.Equal(("Grace", "runner"), (me.GetProperty("member").GetProperty("name").GetString(), me.GetProperty("member").GetProperty("role").GetString()));
        Assert.Equal(2, (await JsonAsync("GET", "/api/members", key)).GetProperty("data").GetArrayLength());
        Assert.Equal(0, (await JsonAsync("GET", "/api/invitations", key)).GetProperty("data").GetArrayLength());

        var id = member.GetProperty("member").GetProperty("id").GetString();
        var changed = await JsonAsync("PATCH", $"/api/members/{id}", key, new { role = "viewer" });
        Assert.Equal("viewer", changed.GetProperty("role").GetString());
        using var removed = await SendAsync("DELETE", $"/api/members/{id}", key);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        using var lastOwner = await SendAsync("DELETE", $"/api/members/{owner.GetProperty("member").GetProperty("id").GetString()}", key);
        Assert.Equal((HttpStatusCode.Conflict, "last_owner"), (lastOwner.StatusCode, await ErrorAsync(lastOwner)));

        var actions = (await JsonAsync("GET", "/api/audit", key)).GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("action").GetString()!)
            .Where(action => action != "key.used" && !action.StartsWith('P') && !action.StartsWith("DELETE", StringComparison.Ordinal)); // without the calls themselves
        Assert.Equal(["organization.created", "invitation.created", "invitation.accepted", "member.changed", "member.removed"], actions);
    }

    [Fact]
    public async Task Keys_are_made_listed_rotated_and_revoked()
    {
        var made = await JsonAsync("POST", "/api/keys", Installation.LiveKey, new { name = "ci", scopes = new[] { "runs:read", "runs:create" } });
        var (id, key) = (made.GetProperty("id").GetString()!, made.GetProperty("key").GetString()!);
        Assert.Equal(["runs:create", "runs:read"], made.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));

        var listed = (await JsonAsync("GET", "/api/keys", Installation.LiveKey)).GetProperty("data").EnumerateArray().Single(item => item.GetProperty("id").GetString() == id);
        Assert.Equal("active", listed.GetProperty("status").GetString());
        Assert.False(listed.TryGetProperty("key", out _));

        var rotated = await JsonAsync("POST", $"/api/keys/{id}/rotate", Installation.LiveKey, new { graceSeconds = 3600 });
        var next = rotated.GetProperty("key").GetString()!;
        Assert.Equal("live", (await JsonAsync("GET", "/api/me", key)).GetProperty("mode").GetString());
        Assert.Equal(id, rotated.GetProperty("replaced").GetProperty("id").GetString());
        Assert.Equal("live", (await JsonAsync("GET", "/api/me", next)).GetProperty("mode").GetString());

        using var revoked = await SendAsync("DELETE", $"/api/keys/{id}", Installation.LiveKey);
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await Eventually.TrueAsync(async () =>
        {
            using var response = await SendAsync("GET", "/api/me", key);
            return response.StatusCode == HttpStatusCode.Unauthorized && await ErrorAsync(response) == "unauthorized";
        });
    }

    [Fact]
    public async Task Every_holder_can_replace_its_own_key_but_no_other()
    {
        var made = await JsonAsync("POST", "/api/keys", Installation.LiveKey, new { scopes = new[] { "runs:read" } });
        var other = await JsonAsync("POST", "/api/keys", Installation.LiveKey, new { scopes = new[] { "runs:read" } });
        var key = made.GetProperty("key").GetString()!;

        using var refused = await SendAsync("POST", $"/api/keys/{other.GetProperty("id").GetString()}/rotate", key);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var rotated = await JsonAsync("POST", "/api/keys/current/rotate", key);
        Assert.Equal(made.GetProperty("id").GetString(), rotated.GetProperty("replaced").GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_key_gives_no_scope_that_it_does_not_have()
    {
        var made = await JsonAsync("POST", "/api/keys", Installation.LiveKey, new { scopes = new[] { "keys:manage", "runs:read" } });
        using var response = await SendAsync("POST", "/api/keys", made.GetProperty("key").GetString(), new { scopes = new[] { "runs:create" } });

        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), (response.StatusCode, await ErrorAsync(response)));
    }

    [Fact]
    public async Task Keys_of_another_organization_do_not_exist()
    {
        var made = await JsonAsync("POST", "/api/keys", Installation.LiveKey, new { scopes = new[] { "runs:read" } });
        using var foreign = await SendAsync("DELETE", $"/api/keys/{made.GetProperty("id").GetString()}", Installation.OtherTenantKey);
        using var unknown = await SendAsync("DELETE", "/api/keys/key-000000000000000000000000000000", Installation.OtherTenantKey);

        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
        Assert.Equal(await unknown.Content.ReadAsStringAsync(), await foreign.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_session_takes_the_place_of_a_key_where_the_page_shows_its_token()
    {
        var (cookie, csrf) = await OpenSessionAsync();

        using var read = await SendAsync("GET", "/api/me", headers: [("Cookie", cookie)]);
        using var onProtocol = await SendAsync("GET", "/v1/runs/run-none", headers: [("Cookie", cookie)]);
        using var without = await SendAsync("POST", "/api/keys", body: new { scopes = new[] { "runs:read" } }, headers: [("Cookie", cookie)]);
        using var wrong = await SendAsync("POST", "/api/keys", body: new { scopes = new[] { "runs:read" } }, headers: [("Cookie", cookie), ("X-CSRF-Token", "x" + csrf[1..])]);
        using var with = await SendAsync("POST", "/api/keys", body: new { scopes = new[] { "runs:read" } }, headers: [("Cookie", cookie), ("X-CSRF-Token", csrf)]);

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, onProtocol.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, without.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Created, with.StatusCode);
    }

    [Fact]
    public async Task A_session_counts_neither_as_a_bearer_nor_for_another_site()
    {
        var (cookie, csrf) = await OpenSessionAsync();
        var token = cookie[(CookieName.Length + 1)..];

        using var bearer = await SendAsync("GET", "/api/me", token);
        using var foreign = await SendAsync("GET", "/api/me", headers: [("Cookie", cookie), ("Sec-Fetch-Site", "cross-site")]);
        using var foreignWrite = await SendAsync("DELETE", "/api/sessions/current", headers: [("Cookie", cookie), ("X-CSRF-Token", csrf), ("Sec-Fetch-Site", "cross-site")]);

        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, foreignWrite.StatusCode);
    }

    [Fact]
    public async Task A_closed_session_is_over_and_a_page_that_was_loaded_again_gets_its_token_back()
    {
        var (cookie, csrf) = await OpenSessionAsync();
        using var current = await SendAsync("GET", "/api/sessions/current", headers: [("Cookie", cookie)]);
        var body = JsonElement.Parse(await current.Content.ReadAsStringAsync());
        Assert.Equal(csrf, body.GetProperty("csrfToken").GetString());

        using var closed = await SendAsync("DELETE", "/api/sessions/current", headers: [("Cookie", cookie), ("X-CSRF-Token", csrf)]);

        Assert.Equal(HttpStatusCode.NoContent, closed.StatusCode);
        Assert.Contains("expires=Thu, 01 Jan 1970", closed.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await SendAsync("GET", "/api/me", headers: [("Cookie", cookie)])).StatusCode == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_cookie_is_out_of_reach_of_scripts_and_of_unencrypted_connections()
    {
        using var local = await SendAsync("POST", "/api/sessions", Installation.LiveKey);
        using var remote = await SendAsync("POST", "/api/sessions", Installation.LiveKey, headers: [("Host", "openwop.example")]);

        var (localCookie, remoteCookie) = (local.Headers.GetValues("Set-Cookie").Single(), remote.Headers.GetValues("Set-Cookie").Single());
        foreach (var cookie in new[] { localCookie, remoteCookie })
        {
            Assert.Contains("; httponly", cookie, StringComparison.Ordinal);
            Assert.Contains("; samesite=strict", cookie, StringComparison.Ordinal);
            Assert.Contains("; path=/", cookie, StringComparison.Ordinal);
        }

        Assert.StartsWith("__Host-openwop-session=hs_", remoteCookie, StringComparison.Ordinal);
        Assert.Contains("; secure", remoteCookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/api/keys", "{", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", "[]", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", "{}", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", """{"scopes":[1]}""", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", """{"scopes":["NOT A SCOPE"]}""", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", """{"scopes":["runs:read"],"expiresAt":"yesterday"}""", 400, "invalid_body")]
    [InlineData("POST", "/api/keys", """{"scopes":["runs:read"],"name":"\u0000"}""", 400, "invalid_body")]
    [InlineData("POST", "/api/invitations", """{"role":"king"}""", 400, "invalid_body")]
    [InlineData("GET", "/api/keys?limit=0", null, 400, "invalid_body")]
    [InlineData("GET", "/api/audit?after=x", null, 400, "invalid_body")]
    [InlineData("DELETE", "/api/members/mem-none", null, 404, "not_found")]
    [InlineData("GET", "/api/organizations/tenant-b", null, 404, "not_found")]
    [InlineData("GET", "/api/nothing", null, 404, "not_found")]
    [InlineData("PUT", "/api/keys", "{}", 405, "method_not_allowed")]
    public async Task Errors_are_told_in_one_vocabulary(string method, string path, string? body, int status, string code)
    {
        using var response = await SendAsync(method, path, Installation.LiveKey, body is null ? null : new Raw(body));

        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal((status, code), ((int)response.StatusCode, await ErrorAsync(response)));
    }

    [Theory]
    [InlineData("GET", "/api/keys")]
    [InlineData("GET", "/api/me")]
    [InlineData("POST", "/api/sessions")]
    [InlineData("GET", "/api/audit")]
    public async Task Without_a_key_there_is_nothing_but_401(string method, string path)
    {
        using var response = await SendAsync(method, path, body: method == "POST" ? new Raw("not json") : null);

        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), (response.StatusCode, await ErrorAsync(response)));
    }

    [Fact]
    public async Task Health_is_open()
    {
        using var response = await SendAsync("GET", "/health");

        Assert.Equal("""{"status":"ok"}""", await response.Content.ReadAsStringAsync());
    }

    public void Dispose()
    {
        _http.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<(string Cookie, string Csrf)> OpenSessionAsync()
    {
        using var response = await SendAsync("POST", "/api/sessions", Installation.LiveKey);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        Assert.StartsWith(CookieName + "=hs_", cookie, StringComparison.Ordinal);
        return (cookie, JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("csrfToken").GetString()!);
    }

    private async Task<JsonElement> JsonAsync(string method, string path, string? key = null, object? body = null)
    {
        using var response = await SendAsync(method, path, key, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    private async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? key = null, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body switch
        {
            null => null,
            Raw raw => new StringContent(raw.Text, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body),
        };
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request);
    }

    private static async Task<string?> ErrorAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("error").GetString();

    private sealed record Raw(string Text);

    /// <summary>A server that can be bootstrapped.</summary>
    public sealed class Embedded() : InstallationFixture(Form.Embedded)
    {
        protected override Task<(string Name, string Value)[]> SettingsAsync() => Task.FromResult<(string, string)[]>([("OPENWOP_BOOTSTRAP_TOKEN", Token)]);
    }

    /// <summary>The same in several processes on PostgreSQL and Redis.</summary>
    public sealed class Separate : ServerInstallation
    {
        protected override async Task<(string Name, string Value)[]> SettingsAsync() => [.. await base.SettingsAsync(), ("OPENWOP_BOOTSTRAP_TOKEN", Token)];
    }
}

public sealed class EmbeddedOrganizationTests(OrganizationTests.Embedded server) : OrganizationTests(server), IClassFixture<OrganizationTests.Embedded>;

public sealed class SeparateOrganizationTests(OrganizationTests.Separate server) : OrganizationTests(server), IClassFixture<OrganizationTests.Separate>;
