using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.ClusterTool;
using OpenWop.Micro.Conformance.Driver;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.Control.Tests;

/// <summary>An installation for all tests of its collection; each test makes workflows of its own.</summary>
public abstract class ControlHost : IAsyncLifetime
{
    internal Author Author { get; private set; } = null!;

    internal Author Stranger { get; private set; } = null!;

    internal Author Reader { get; private set; } = null!;

    /// <summary>What the OpenAPI documents say: every call of every author is held against it.</summary>
    private ServedContract _contract = ServedContract.None;

    /// <summary>The public addresses; every author calls them in turn.</summary>
    protected internal abstract IReadOnlyList<Uri> Gateways { get; }

    public async Task InitializeAsync()
    {
        var (author, stranger, reader) = await StartAsync();
        using (var http = new HttpClient { BaseAddress = Gateways[0] })
            _contract = await ServedContract.ReadAsync("/v1/openapi.json", async route => JsonElement.Parse(await http.GetStringAsync(route)));

        Author = As(author);
        Stranger = As(stranger);
        Reader = As(reader);
    }

    public async Task DisposeAsync()
    {
        Author?.Dispose();
        Stranger?.Dispose();
        Reader?.Dispose();
        await StopAsync();
    }

    /// <summary>Somebody with a key; null = without one.</summary>
    internal Author As(string? key) => new(Gateways, key) { Contract = _contract };

    /// <summary>Starts the installation.</summary>
    /// <returns>A key with all scopes, one of another tenant, and one of the first tenant that may only read runs.</returns>
    protected abstract Task<(string Author, string Stranger, string Reader)> StartAsync();

    protected abstract Task StopAsync();
}

/// <summary>Everything in one process, on SQLite.</summary>
public sealed class EmbeddedHost : ControlHost
{
    private Installation? _installation;

    protected internal override IReadOnlyList<Uri> Gateways => [_installation!.BaseUrl];

    protected override async Task<(string Author, string Stranger, string Reader)> StartAsync()
    {
        _installation = await Installation.StartAsync(Form.Embedded, ("OPENWOP_WEBHOOK_ALLOW_PRIVATE", "true"));
        return (Installation.Key, Installation.OtherTenantKey, Installation.ReaderKey);
    }

    protected override async Task StopAsync()
    {
        if (_installation is not null)
            await _installation.DisposeAsync();
    }
}

/// <summary>What production looks like: several gateways, engines and editors of workflows in processes of their own, on PostgreSQL and Redis.</summary>
public sealed class ClusterHost : ControlHost
{
    public const string BootstrapToken = "a-bootstrap-token-for-one-of-many";

    private LocalCluster? _cluster;

    protected internal override IReadOnlyList<Uri> Gateways => [.. _cluster!.Of("gateway").Select(gateway => new Uri(gateway.Url))];

    protected override async Task<(string Author, string Stranger, string Reader)> StartAsync()
    {
        _cluster = await LocalCluster.UpAsync(new ClusterOptions
        {
            Folder = Path.Combine(Path.GetTempPath(), "openwop-control-" + Guid.NewGuid().ToString("n")[..8]),
            Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            Services = [("identity", 2), ("workflows", 2), ("runs", 2), ("gateway", 2)],
            Settings = new Dictionary<string, string>
            {
                ["OPENWOP_BOOTSTRAP_TOKEN"] = BootstrapToken,
                ["OPENWOP_WEBHOOK_ALLOW_PRIVATE"] = "true",
                ["OPENWOP_LOG_LEVEL"] = "Warning",
            },
        });
        return (LocalCluster.Key, LocalCluster.OtherTenantKey, LocalCluster.ReaderKey);
    }

    protected override async Task StopAsync()
    {
        if (_cluster is not null)
            await _cluster.DownAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class OnEmbedded : ICollectionFixture<EmbeddedHost>
{
    public const string Name = "embedded";
}

[CollectionDefinition(Name)]
public sealed class OnCluster : ICollectionFixture<ClusterHost>
{
    public const string Name = "cluster";
}

/// <summary>An answer with its body; undefined when there is none.</summary>
internal sealed record Reply(int Status, JsonElement Body, HttpResponseHeaders Headers)
{
    public string Error => Body.GetProperty("error").GetString()!;
}

/// <summary>Somebody who edits and runs workflows over HTTP, at one gateway after the other.</summary>
internal sealed class Author : IDisposable
{
    private readonly HttpClient[] _gateways;
    private int _next;

    public ServedContract Contract { get; init; } = ServedContract.None;

    public Author(IReadOnlyList<Uri> gateways, string? key) => _gateways = [.. gateways.Select(gateway => new HttpClient(new SocketsHttpHandler { UseCookies = false })
    {
        BaseAddress = gateway,
        DefaultRequestHeaders = { Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key) },
    })];

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
        using var response = await _gateways[(uint)Interlocked.Increment(ref _next) % (uint)_gateways.Length].SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Contract.Check(method.Method, path, body, new Conformance.Driver.Reply((int)response.StatusCode, new Dictionary<string, string>(), text).Parsed());
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

    public void Dispose()
    {
        foreach (var gateway in _gateways)
            gateway.Dispose();
    }
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
