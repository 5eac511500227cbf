using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.EndToEnd.Tests;

/// <summary>How the authoring plane says that it was too much.</summary>
public sealed class ControlRateLimitTests(ControlRateLimitTests.Server server) : IClassFixture<ControlRateLimitTests.Server>, IDisposable
{
    private const int PerMinute = 3;

    private readonly HttpClient _http = new() { BaseAddress = server.Installation.BaseUrl };

    [Fact]
    public async Task A_key_beyond_its_limit_hears_when_to_come_back_before_it_hears_what_it_may_not()
    {
        for (var i = 0; i < PerMinute; i++)
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("/api/keys", Installation.ReaderKey)).StatusCode);

        using var limited = await GetAsync("/api/keys", Installation.ReaderKey);
        using var another = await GetAsync("/api/keys", Installation.OtherTenantKey);
        using var health = await GetAsync("/health", key: null);

        Assert.Equal(HttpStatusCode.TooManyRequests, limited.StatusCode);
        var error = JsonElement.Parse(await limited.Content.ReadAsStringAsync());
        var retryAfterMs = error.GetProperty("retryAfterMs").GetInt64();
        Assert.Equal("rate_limited", error.GetProperty("error").GetString());
        Assert.InRange(retryAfterMs, 1, 60_000);
        Assert.Equal((long)Math.Ceiling(retryAfterMs / 1000.0), (long)limited.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        Assert.Equal(HttpStatusCode.OK, another.StatusCode);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Strangers_cannot_try_tokens_out()
    {
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 40; i++)
        {
            using var response = await _http.PostAsJsonAsync("/api/invitations/accept", new { token = "guess-" + i });
            statuses.Add(response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.NotFound, statuses[0]);
        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> GetAsync(string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        return await _http.SendAsync(request);
    }

    /// <summary>A server with a limit that is reached at once.</summary>
    public sealed class Server() : InstallationFixture(Form.Embedded)
    {
        protected override Task<(string Name, string Value)[]> SettingsAsync() =>
            Task.FromResult<(string, string)[]>([("OPENWOP_RATELIMIT_PER_MINUTE", "3")]);
    }
}
