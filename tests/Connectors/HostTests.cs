using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Examples.Connector;
using OpenWop.Micro.Standalone;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Connectors.Tests;

/// <summary>A host with the example: catalogue, editing and engine know its block type.</summary>
public sealed class HostTests : IAsyncLifetime
{
    private const string Key = "hk_test_0123456789abcdef0123456789abcdef";

    private readonly TempFolder _folder = new();
    private SmsGateway _gateway = null!;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _gateway = await SmsGateway.StartAsync();
        _app = StandaloneHost.Create(["--urls", "http://127.0.0.1:0", "--data", _folder.Path, $"--OPENWOP_API_KEY={Key}"], builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            builder.Services.AddHttpClient(SmsConnector.Client, client => client.BaseAddress = _gateway.Address);
            builder.Services.AddConnector<SmsConnector>();
        });
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_block_type_is_in_the_catalogue_after_the_built_in_ones()
    {
        var types = (await GetAsync("/api/connectors")).GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("type").GetString()).ToList();
        Assert.Equal(("trigger_webhook", "sms"), (types[0], types[^1]));

        var sms = await GetAsync("/api/connectors/sms");
        Assert.Equal(["to", "text", "priority", "account"], sms.GetProperty("subBlocks").EnumerateArray().Select(field => field.GetProperty("id").GetString()!));
        Assert.True(sms.GetProperty("subBlocks")[0].GetProperty("required").GetBoolean());
    }

    [Fact]
    public async Task Editing_enforces_what_the_connector_describes()
    {
        var (_, patched) = await MakeAsync("""
            {"operation_type":"add","block_id":"s","type":"sms","params":{"text":"x","carrier":"y"}},
            {"operation_type":"add","block_id":"t","type":"transform","params":{"template":"{{s.cost}}"}},
            {"operation_type":"connect","block_id":"s","target_block_id":"t"}
            """);

        var errors = patched.GetProperty("validation_errors").EnumerateArray().Select(error => error.GetProperty("error").GetString()!).ToList();
        Assert.Contains(errors, error => error.Contains("not exposed by block 'sms'", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("'to' is missing", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("Available: messageId, segments", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_engine_runs_it_with_references_retries_and_error_edges()
    {
        _gateway.Failures.Enqueue(503);
        var (id, patched) = await MakeAsync("""
            {"operation_type":"add","block_id":"start","type":"trigger_manual"},
            {"operation_type":"add","block_id":"s","type":"sms","params":{"to":"{{trigger.phone}}","text":"Hello"}},
            {"operation_type":"add","block_id":"ok","type":"transform","params":{"template":"sent {{s.messageId}}"}},
            {"operation_type":"add","block_id":"bad","type":"transform","params":{"template":"not sent"}},
            {"operation_type":"connect","block_id":"start","target_block_id":"s"},
            {"operation_type":"connect","block_id":"s","target_block_id":"ok"},
            {"operation_type":"connect","block_id":"s","target_block_id":"bad","source_handle":"error"}
            """);
        Assert.True(patched.GetProperty("ok").GetBoolean(), patched.GetRawText());

        var sent = await RunAsync(id, """{"phone":"+41795550100"}""");
        Assert.Equal("sent sms-1", sent.GetProperty("ok").GetProperty("result").GetString());
        Assert.Single(_gateway.Messages);
        Assert.Equal("not sent", (await RunAsync(id, """{"phone":"none"}""")).GetProperty("bad").GetProperty("result").GetString());
    }

    private async Task<(string Id, JsonElement Patched)> MakeAsync(string ops)
    {
        var id = (await SendAsync("/api/workflows", "{}")).GetProperty("id").GetString()!;
        return (id, await SendAsync($"/api/workflows/{id}/operations", $$"""{"ops":[{{ops}}]}""", ifMatch: "1"));
    }

    private async Task<JsonElement> RunAsync(string workflowId, string input)
    {
        var runId = (await SendAsync($"/api/workflows/{workflowId}/run", $$"""{"input":{{input}}}""")).GetProperty("runId").GetString();
        JsonElement run = default;
        await Eventually.TrueAsync(async () => (run = await GetAsync($"/api/runs/{runId}")).GetProperty("state").GetString() is "completed" or "failed");
        return run.GetProperty("output").GetProperty("outputs");
    }

    private async Task<JsonElement> GetAsync(string path) => JsonElement.Parse(await _client.GetStringAsync(path));

    private async Task<JsonElement> SendAsync(string path, string body, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }
}
