using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

/// <summary>A delivery as it arrived at <c>/{hook}</c>.</summary>
public sealed record HookDelivery(string Hook, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public JsonElement Event => JsonElement.Parse(Body).GetProperty("event");

    public string RunId => JsonElement.Parse(Body).GetProperty("runId").GetString()!;

    public string Type => JsonElement.Parse(Body).GetProperty("type").GetString()!;

    public long Sequence => Event.GetProperty("sequence").GetInt64();

    public string Id => Headers["OpenWOP-Delivery-Id"];

    public bool IsSignedWith(string secret)
    {
        byte[] message = [.. Encoding.ASCII.GetBytes(Headers["X-openwop-Timestamp"] + "."), .. Body];
        return Headers["X-openwop-Signature"] == "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), message));
    }
}

/// <summary>A web server for any number of webhooks, each at a path of its own.</summary>
public sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<HookDelivery> _taken = new();

    private HookReceiver(WebApplication app) => _app = app;

    /// <summary>Decides on a delivery: the status to answer with. Only what is answered with 2xx counts as taken.</summary>
    public Func<HookDelivery, HttpContext, Task<int>> Answer { get; set; } = (_, _) => Task.FromResult(200);

    /// <summary>What was taken, in order of arrival.</summary>
    public IReadOnlyList<HookDelivery> Taken => [.. _taken];

    public string UrlOf(string hook) => $"{_app.Urls.Single()}/{hook}";

    public IReadOnlyList<HookDelivery> TakenBy(string hook) => [.. _taken.Where(delivery => delivery.Hook == hook)];

    public static async Task<HookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new HookReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(impatient.Token);
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var delivery = new HookDelivery(
            context.Request.Path.Value![1..],
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        var status = await Answer(delivery, context);
        if (status is >= 200 and <= 299)
            _taken.Enqueue(delivery);

        context.Response.StatusCode = status;
    }
}
