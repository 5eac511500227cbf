using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Bench.Control;

/// <summary>Edits workflows over HTTP.</summary>
internal sealed class Editor : IDisposable
{
    private readonly HttpClient http;

    public Editor(Uri server, string key, int connections)
    {
        http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections }) { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public async Task<string> CreateAsync() => (await SendAsync("/api/workflows", "{}", null)).GetProperty("id").GetString()!;

    /// <returns>The new version.</returns>
    public async Task<long> PatchAsync(string id, long version, IEnumerable<string> operations)
    {
        var patched = await SendAsync($"/api/workflows/{id}/operations", $$"""{"ops":[{{string.Join(',', operations)}}]}""", $"{version}");
        return patched.GetProperty("ok").GetBoolean() ? patched.GetProperty("version").GetInt64() : throw new InvalidOperationException(patched.GetProperty("summary").GetString());
    }

    public void Dispose() => http.Dispose();

    private async Task<JsonElement> SendAsync(string path, string body, string? ifMatch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync());
    }
}
