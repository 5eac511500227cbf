using System.Net;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Control.Tests;

/// <summary>What one gateway was told holds at the others: people, keys and sessions.</summary>
[Collection(OnCluster.Name)]
public sealed class ManyGatewaysTests(ClusterHost host) : IDisposable
{
    private readonly HttpClient[] _gateways = [.. host.Gateways.Select(gateway => new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = gateway })];

    [Fact]
    public async Task Of_many_who_use_the_bootstrap_token_at_once_one_founds_an_organization()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => SendAsync(
            i, "POST", "/api/bootstrap", $$"""{"token":"{{ClusterHost.BootstrapToken}}","name":"Founder {{i}}"}""")));

        var founder = Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.All(answers.Where(answer => answer != founder), answer => Assert.Equal(HttpStatusCode.NotFound, answer.Status));
        var key = founder.Body.GetProperty("key").GetString()!;
        foreach (var gateway in Gateways)
            Assert.Equal("owner", (await SendAsync(gateway, "GET", "/api/me", key: key)).Body.GetProperty("member").GetProperty("role").GetString());
        Assert.Single((await SendAsync(1, "GET", "/api/members", key: key)).Body.GetProperty("data").EnumerateArray());

        // Of many who accept one invitation at once one becomes a member.
        var invitation = (await SendAsync(0, "POST", "/api/invitations", """{"role":"editor","name":"Grace"}""", key)).Body.GetProperty("token").GetString();
        answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => SendAsync(i, "POST", "/api/invitations/accept", $$"""{"token":"{{invitation}}"}""")));
        var member = Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created).Body;
        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.Created, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized }));
        Assert.Equal(2, (await SendAsync(1, "GET", "/api/members", key: key)).Body.GetProperty("data").GetArrayLength());

        // A lesser role counts everywhere, and with the member go its keys.
        var (id, theirs) = (member.GetProperty("member").GetProperty("id").GetString(), member.GetProperty("key").GetString()!);
        foreach (var gateway in Gateways)
            Assert.Equal(HttpStatusCode.Created, (await SendAsync(gateway, "POST", "/api/workflows", "{}", theirs)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(0, "PATCH", $"/api/members/{id}", """{"role":"viewer"}""", key)).Status);
        foreach (var gateway in Gateways)
            await UntilAsync(HttpStatusCode.Forbidden, () => SendAsync(gateway, "POST", "/api/workflows", "{}", theirs));
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(1, "DELETE", $"/api/members/{id}", key: key)).Status);
        foreach (var gateway in Gateways)
            await UntilAsync(HttpStatusCode.Unauthorized, () => SendAsync(gateway, "GET", "/api/me", key: theirs));
    }

    [Fact]
    public async Task A_key_that_is_replaced_at_one_gateway_goes_on_at_all_until_its_grace_time_is_over()
    {
        var made = await SendAsync(0, "POST", "/api/keys", """{"scopes":["runs:read","manifest:read"]}""", Owner);
        var (id, old) = (made.Body.GetProperty("id").GetString(), made.Body.GetProperty("key").GetString()!);
        foreach (var gateway in Gateways)
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "GET", "/api/runs", key: old)).Status);

        var rotated = await SendAsync(1, "POST", $"/api/keys/{id}/rotate", """{"graceSeconds":3600}""", Owner);
        var next = rotated.Body.GetProperty("key").GetString()!;
        foreach (var gateway in Gateways)
        {
            foreach (var key in new[] { old, next })
                Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "GET", "/api/runs", key: key)).Status);
        }

        var last = (await SendAsync(0, "POST", "/api/keys/current/rotate", """{"graceSeconds":0}""", next)).Body.GetProperty("key").GetString()!;
        foreach (var gateway in Gateways)
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "GET", "/api/runs", key: last)).Status);
            await UntilAsync(HttpStatusCode.Unauthorized, () => SendAsync(gateway, "GET", "/api/runs", key: next));
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(1, "DELETE", $"/api/keys/{id}", key: Owner)).Status);
        foreach (var gateway in Gateways)
            await UntilAsync(HttpStatusCode.Unauthorized, () => SendAsync(gateway, "GET", "/api/runs", key: old));
    }

    [Fact]
    public async Task Of_many_who_replace_one_key_at_once_one_does_and_both_keys_are_good()
    {
        var made = await SendAsync(0, "POST", "/api/keys", """{"scopes":["runs:read"]}""", Owner);
        var id = made.Body.GetProperty("id").GetString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => SendAsync(i, "POST", $"/api/keys/{id}/rotate", """{"graceSeconds":600}""", Owner)));

        var winner = Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.All(answers.Where(answer => answer != winner), answer => Assert.Equal(HttpStatusCode.PreconditionFailed, answer.Status));
        foreach (var key in new[] { made, winner }.Select(answer => answer.Body.GetProperty("key").GetString()!))
            Assert.All(await Task.WhenAll(Gateways.Select(gateway => SendAsync(gateway, "GET", "/api/runs", key: key))), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [Fact]
    public async Task A_session_that_was_opened_at_one_gateway_counts_at_all_and_ends_at_all()
    {
        var opened = await SendAsync(0, "POST", "/api/sessions", key: Owner);
        var (cookie, csrf) = (opened.Cookie!, opened.Body.GetProperty("csrfToken").GetString()!);
        foreach (var gateway in Gateways)
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "GET", "/api/me", headers: [("Cookie", cookie)])).Status);
            Assert.Equal(csrf, (await SendAsync(gateway, "GET", "/api/sessions/current", headers: [("Cookie", cookie)])).Body.GetProperty("csrfToken").GetString());
            Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(gateway, "POST", "/api/workflows", "{}", headers: [("Cookie", cookie)])).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(gateway, "POST", "/api/workflows", "{}", headers: [("Cookie", cookie), ("X-CSRF-Token", (csrf[0] == 'x' ? "y" : "x") + csrf[1..])])).Status);
            Assert.Equal(HttpStatusCode.Created, (await SendAsync(gateway, "POST", "/api/workflows", "{}", headers: [("Cookie", cookie), ("X-CSRF-Token", csrf)])).Status);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(1, "DELETE", "/api/sessions/current", headers: [("Cookie", cookie), ("X-CSRF-Token", csrf)])).Status);
        foreach (var gateway in Gateways)
            await UntilAsync(HttpStatusCode.Unauthorized, () => SendAsync(gateway, "GET", "/api/me", headers: [("Cookie", cookie)]));
    }

    public void Dispose()
    {
        foreach (var gateway in _gateways)
            gateway.Dispose();
    }

    private static string Owner => ClusterTool.LocalCluster.Key;

    private IEnumerable<int> Gateways => Enumerable.Range(0, _gateways.Length);

    /// <summary>Gateways remember for seconds at most what they have learned of a key.</summary>
    private static Task UntilAsync(HttpStatusCode status, Func<Task<Told>> ask) => Eventually.TrueAsync(async () => (await ask()).Status == status, $"the answer is {status}");

    private async Task<Told> SendAsync(int gateway, string method, string path, string? body = null, string? key = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _gateways[gateway % _gateways.Length].SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var cookie = response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single().Split(';')[0] : null;
        return new Told(response.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text), cookie);
    }

    private sealed record Told(HttpStatusCode Status, JsonElement Body, string? Cookie);
}
