using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Grpc.Server;
using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Testing;
using EngineClient = OpenWop.Micro.Contracts.V1.Engine.EngineClient;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>The real gateway and the real identity service on a free port, in front of fake services in the same process.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    /// <summary>A test key with all scopes.</summary>
    public const string Key = "hk_test_with-all-scopes";

    /// <summary>A test key that may only read runs.</summary>
    public const string ReaderKey = "hk_test_that-reads-runs";

    /// <summary>A live key with all scopes.</summary>
    public const string LiveKey = "hk_live-with-all-scopes";

    /// <summary>Services that the gateway believes to be there, so that it serves their routes. Nothing answers for them.</summary>
    private static readonly string[] Unheard = ["scheduler", "webhooks"];

    private readonly WebApplication _app;
    private readonly TempFolder _data;
    private readonly GrpcChannel _channel;

    private GatewayHost(WebApplication app, TempFolder data)
    {
        _app = app;
        _data = data;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        _channel = GrpcChannel.ForAddress(Http.BaseAddress);
        Engine = new EngineClient(_channel);
    }

    public HttpClient Http { get; }

    public EngineClient Engine { get; }

    public FakeServices Services { get; private init; } = null!;

    public IServiceProvider Provider => _app.Services;

    public static async Task<GatewayHost> StartAsync(TimeProvider? time = null, params string[] settings)
    {
        var services = new FakeServices();
        var data = new TempFolder();
        var builder = WebApplication.CreateBuilder(
            [.. settings, "--urls=http://127.0.0.1:0", $"--data={data.Path}", $"--OPENWOP_KEYS_FILE={WriteKeys(data)}"]);
        builder.AddServiceDefaults(GatewayService.Name);
        builder.Logging.ClearProviders();
        builder.AddIdentity();
        builder.AddGateway();
        foreach (var service in Unheard)
            builder.Services.HostService(service);
        builder.Services.AddSingleton(services);
        if (time is not null)
            builder.Services.AddSingleton(time);

        var app = builder.Build();
        app.UseGateway();
        app.MapServiceDefaults();
        app.MapGateway();
        app.MapIdentity();
        app.MapServiceOverGrpc<FakeServices.WorkflowsService>();
        app.MapServiceOverGrpc<FakeServices.RunsService>();
        await app.StartAsync();
        return new GatewayHost(app, data) { Services = services };
    }

    /// <summary>Sends a request with the key of all scopes, unless another one is given; an empty key sends none.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? body = null, string key = Key, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public static Metadata GrpcHeaders(string key = Key, params (string Name, string Value)[] more)
    {
        var headers = new Metadata { { "authorization", "Bearer " + key } };
        foreach (var (name, value) in more)
            headers.Add(name, value);
        return headers;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _channel.Dispose();
        await _app.DisposeAsync();
        _data.Dispose();
    }

    private static string WriteKeys(TempFolder data)
    {
        var path = data.File("keys.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new object[]
        {
            new { key = Key, tenant = "tenant-a", scopes = new[] { "*" } },
            new { key = ReaderKey, tenant = "tenant-a", scopes = new[] { "runs:read" } },
            new { key = LiveKey, tenant = "tenant-a", scopes = new[] { "*" } },
        }));
        return path;
    }
}

internal static class Responses
{
    /// <summary>Asserts the closed envelope and returns it.</summary>
    public static async Task<JsonElement> ErrorAsync(this HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        var envelope = JsonElement.Parse(text);
        Assert.Equal(code, envelope.GetProperty("error").GetString());
        Assert.NotEmpty(envelope.GetProperty("message").GetString()!);
        Assert.All(envelope.EnumerateObject(), member => Assert.Contains(member.Name, new[] { "error", "message", "details" }));
        if (envelope.TryGetProperty("details", out var details))
            Assert.Equal(JsonValueKind.Object, details.ValueKind);
        return envelope;
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response) => JsonElement.Parse(await response.Content.ReadAsStringAsync());

    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;
}
