using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.Control.Tests;

/// <summary>The embedded host as a process of its own, for all tests; each makes workflows of its own.</summary>
public sealed class ControlHost : IAsyncLifetime
{
    public Installation Installation { get; private set; } = null!;

    internal Author Author { get; private set; } = null!;

    internal Author Stranger { get; private set; } = null!;

    internal Author Reader { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Installation = await Installation.StartAsync(Form.Embedded, ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"));
        Author = new Author(Installation.BaseUrl, Installation.Key);
        Stranger = new Author(Installation.BaseUrl, Installation.OtherTenantKey);
        Reader = new Author(Installation.BaseUrl, Installation.ReaderKey);
    }

    public async Task DisposeAsync()
    {
        Author.Dispose();
        Stranger.Dispose();
        Reader.Dispose();
        await Installation.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class ControlTests : ICollectionFixture<ControlHost>
{
    public const string Name = "control";
}

/// <summary>An answer with its body; undefined when there is none.</summary>
internal sealed record Reply(int Status, JsonElement Body, HttpResponseHeaders Headers)
{
    public string Error => Body.GetProperty("error").GetString()!;
}

/// <summary>Somebody who edits and runs workflows over HTTP.</summary>
internal sealed class Author : IDisposable
{
    private readonly HttpClient _http;

    public Author(Uri server, string? key)
    {
        _http = new HttpClient { BaseAddress = server };
        if (key is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Task<Reply> GetAsync(string path, string? ifNoneMatch = null) => SendAsync(HttpMethod.Get, path, null, ifNoneMatch: ifNoneMatch);

    public Task<Reply> PostAsync(string path, string? body = null, string? ifMatch = null) => SendAsync(HttpMethod.Post, path, body, ifMatch);

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body, string? ifMatch = null, string? ifNoneMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (ifNoneMatch is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Reply((int)response.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 256 }), response.Headers);
    }

    /// <summary>Makes a workflow without blocks.</summary>
    public async Task<string> CreateAsync()
    {
        var reply = await PostAsync("/api/workflows", "{}");
        Assert.Equal(201, reply.Status);
        return reply.Body.GetProperty("id").GetString()!;
    }

    /// <summary>Makes a workflow by operations that all have to apply.</summary>
    public async Task<string> CreateAsync(params string[] ops)
    {
        var id = await CreateAsync();
        var patched = await PatchAsync(id, 1, ops);
        Assert.True(patched.Body.GetProperty("ok").GetBoolean(), patched.Body.GetProperty("summary").GetString());
        return id;
    }

    public async Task<Reply> PatchAsync(string id, long version, params string[] ops)
    {
        var reply = await PostAsync($"/api/workflows/{id}/operations", $$"""{"ops":[{{string.Join(',', ops)}}]}""", $"{version}");
        Assert.Equal(200, reply.Status);
        return reply;
    }

    public async Task<string> RunAsync(string workflowId, string input = "{}")
    {
        var reply = await PostAsync($"/api/workflows/{workflowId}/run", $$"""{"input":{{input}}}""");
        Assert.Equal(202, reply.Status);
        return reply.Body.GetProperty("runId").GetString()!;
    }

    /// <summary>Waits until a run is in a state, and returns its description.</summary>
    public async Task<JsonElement> UntilAsync(string runId, params string[] states)
    {
        JsonElement run = default;
        await Testing.Eventually.TrueAsync(async () =>
        {
            run = (await GetAsync($"/api/runs/{runId}")).Body;
            return states.Contains(run.GetProperty("state").GetString());
        });
        return run;
    }

    /// <summary>Runs a workflow to its end, and returns the outputs of its blocks.</summary>
    public async Task<JsonElement> OutputsAsync(string workflowId, string input = "{}")
    {
        var run = await UntilAsync(await RunAsync(workflowId, input), "completed", "failed");
        Assert.True(run.TryGetProperty("output", out var output), run.GetRawText());
        return output.GetProperty("outputs");
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>Operations as text.</summary>
internal static class Op
{
    public const string Trigger = """{"operation_type":"add","block_id":"trg","type":"trigger_webhook"}""";

    public static string Add(string id, string type, string parameters = "{}", string? name = null) =>
        $$"""{"operation_type":"add","block_id":{{Json(id)}},"type":"{{type}}",{{(name is null ? "" : $"\"name\":{Json(name)},")}}"params":{{parameters}}}""";

    public static string Transform(string id, string template) => Add(id, "transform", $$"""{"template":{{template}}}""");

    /// <summary>A block that fails at once, for good.</summary>
    public static string Failing(string id) => Add(id, "slack", """{"operation":"explode","channel":"c","text":"t"}""");

    public static string Connect(string source, string target, string? handle = null) =>
        $$"""{"operation_type":"connect","block_id":{{Json(source)}},"target_block_id":{{Json(target)}}{{(handle is null ? "" : $",\"source_handle\":{Json(handle)}")}}}""";

    private static string Json(string text) => JsonSerializer.Serialize(text);
}
