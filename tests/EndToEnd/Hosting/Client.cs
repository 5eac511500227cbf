using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using OpenWop.Micro.Testing;
using EngineClient = OpenWop.Micro.Contracts.V1.Engine.EngineClient;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>A client of the public surface that knows nothing but the protocol.</summary>
internal sealed class Client : IDisposable
{
    private readonly HttpClient _http;
    private readonly GrpcChannel _channel;
    private readonly string _key;

    public Client(Uri baseUrl, string key = Installation.Key)
    {
        _key = key;
        _http = new HttpClient { BaseAddress = baseUrl, Timeout = TimeSpan.FromSeconds(60) };
        _channel = GrpcChannel.ForAddress(baseUrl);
        Engine = new EngineClient(_channel);
    }

    public EngineClient Engine { get; }

    public Metadata GrpcHeaders => new() { { "authorization", "Bearer " + _key } };

    public async Task<HttpResponseMessage> SendAsync(string method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (_key.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<JsonElement> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync("GET", path, headers: headers);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    /// <summary>Stores a workflow: nodes and edges as JSON arrays, the rest is filled in.</summary>
    public async Task StoreAsync(string id, string nodes, string edges = "[]")
    {
        using var response = await SendAsync("PUT", "/v1/workflows/" + id, Workflow(id, nodes, edges));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public static string Workflow(string id, string nodes, string edges = "[]") =>
        $$"""{"id":"{{id}}","name":"{{id}}","version":"1.0","nodes":{{nodes}},"edges":{{edges}},"triggers":[{"id":"manual","type":"manual"}],"variables":[],"metadata":{},"settings":{} }""";

    public static string Node(string id, string typeId, string config = "{}") =>
        $$"""{"id":"{{id}}","typeId":"{{typeId}}","name":"{{id}}","position":{"x":0,"y":0},"inputs":{},"config":{{config}} }""";

    public async Task<string> CreateAsync(string workflowId, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync("POST", "/v1/runs", $$"""{"workflowId":"{{workflowId}}"}""", headers);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.Created, text);
        return JsonElement.Parse(text).GetProperty("runId").GetString()!;
    }

    /// <summary>Reads a stream of server-sent events to its end.</summary>
    public async Task<List<(string Event, string? Id, string Data)>> StreamAsync(string path, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync("GET", path, headers: [("Accept", "text/event-stream"), .. headers]);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        var frames = new List<(string, string?, string)>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(limit.Token))
            frames.Add((item.EventType, item.EventId, item.Data));
        return frames;
    }

    public Task UntilAsync(string runId, string status) => Eventually.TrueAsync(
        async () => (await GetAsync("/v1/runs/" + runId)).GetProperty("status").GetString() == status, $"run is {status}");

    public void Dispose()
    {
        _http.Dispose();
        _channel.Dispose();
    }
}
