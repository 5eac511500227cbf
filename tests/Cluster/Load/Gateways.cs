using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.ClusterTool;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>
/// A client of the public surface that knows the addresses of all gateways, and does what the protocol tells clients to do: it repeats calls
/// that got no answer or were told to come back, with the same idempotency key, at the next gateway.
/// </summary>
internal sealed class Gateways : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient[] _clients;
    private int _next;

    public Gateways(IEnumerable<Member> gateways) => _clients = [.. gateways.Select(gateway => new HttpClient
    {
        BaseAddress = new Uri(gateway.Url),
        Timeout = TimeSpan.FromSeconds(30),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", LocalCluster.Key) },
    })];

    public int Count => _clients.Length;

    /// <summary>Repeats a call until it gets an answer that is one.</summary>
    /// <param name="isFinal">Which refusals are answers too.</param>
    /// <returns>Status and body.</returns>
    public async Task<(int Status, JsonElement Body)> CallAsync(
        string method, string path, string? body = null, string? key = null, Func<int, string?, bool>? isFinal = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                var (status, answer) = await TryAsync((uint)Interlocked.Increment(ref _next), method, path, body, key, limit.Token);
                var code = answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String ? error.GetString() : null;
                if (status < 400 || isFinal?.Invoke(status, code) == true)
                    return (status, answer);

                // The key of a call that a crash interrupted is still held; a service is away.
                Assert.True(status == 503 || code == "idempotency_in_flight", $"{method} {path}: {status} {answer}");
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is TaskCanceledException && !limit.IsCancellationRequested))
            {
                // No answer.
            }

            await Task.Delay(Pause, limit.Token);
        }
    }

    public async Task<JsonElement> GetAsync(string path) => (await CallAsync("GET", path)).Body;

    /// <summary>One attempt at one gateway.</summary>
    public async Task<(int Status, JsonElement Body)> TryAsync(
        uint gateway, string method, string path, string? body, string? key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await Client(gateway).SendAsync(request, cancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(cancellationToken)));
    }

    public HttpClient Client(uint gateway) => _clients[gateway % (uint)_clients.Length];

    public void Dispose()
    {
        foreach (var client in _clients)
            client.Dispose();
    }
}
