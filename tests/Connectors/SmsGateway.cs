using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Connectors.Tests;

/// <summary>A gateway for text messages that fails when it is told to.</summary>
internal sealed class SmsGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SmsGateway(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>What was sent, by the key that it came with.</summary>
    public ConcurrentDictionary<string, (JsonElement Message, string? Authorization)> Messages { get; } = new();

    /// <summary>Statuses of the next answers; when there are none, messages are taken.</summary>
    public ConcurrentQueue<int> Failures { get; } = new();

    public static async Task<SmsGateway> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var gateway = new SmsGateway(app);
        app.MapPost("/messages", async (HttpContext context) =>
        {
            if (gateway.Failures.TryDequeue(out var status))
                return Results.StatusCode(status);

            var message = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            gateway.Messages.TryAdd(context.Request.Headers["Idempotency-Key"].ToString(), (message, context.Request.Headers.Authorization));
            return Results.Json(new { id = $"sms-{gateway.Messages.Count}" });
        });
        await app.StartAsync();
        gateway.Address = new Uri(app.Urls.Single());
        return gateway;
    }

    /// <summary>Clients that lead here.</summary>
    public IHttpClientFactory Clients() => new ServiceCollection()
        .AddHttpClient(Examples.Connector.SmsConnector.Client, client => client.BaseAddress = Address).Services
        .BuildServiceProvider().GetRequiredService<IHttpClientFactory>();

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
