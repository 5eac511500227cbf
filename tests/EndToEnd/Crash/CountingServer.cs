using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.EndToEnd.Tests.Crash;

/// <summary>A local server that runs call, and that remembers which idempotency keys each logical call came with.</summary>
internal sealed class CountingServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CountingServer(WebApplication app) => _app = app;

    /// <summary>Idempotency keys by the label of the logical call.</summary>
    public ConcurrentDictionary<string, ConcurrentDictionary<string, int>> Calls { get; } = new(StringComparer.Ordinal);

    public string Url => _app.Urls.Single();

    public static async Task<CountingServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new CountingServer(builder.Build());
        server._app.MapPost("/effect/{label}", async (string label, HttpRequest request) =>
        {
            var keys = server.Calls.GetOrAdd(label, _ => new ConcurrentDictionary<string, int>(StringComparer.Ordinal));
            keys.AddOrUpdate(request.Headers["Idempotency-Key"].ToString(), 1, (_, count) => count + 1);

            // Long enough for a kill to fall between the effect and its record.
            await Task.Delay(TimeSpan.FromMilliseconds(20));
            return Results.Json(new { label });
        });
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
