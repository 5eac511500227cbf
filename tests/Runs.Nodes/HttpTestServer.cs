using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Runs.Nodes.Tests;

/// <summary>A provider on a free port that behaves well or badly, by path, and remembers who called.</summary>
internal sealed class HttpTestServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly TaskCompletionSource stopping = new();

    private HttpTestServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Use(async (context, next) =>
        {
            Calls.Enqueue($"{context.Request.Method} {context.Request.Path}");
            IdempotencyKeys.Enqueue(context.Request.Headers["Idempotency-Key"].ToString());
            await next(context);
        });
        app.MapMethods("/echo", ["GET", "POST", "PUT", "PATCH", "DELETE"], EchoAsync);
        app.MapMethods("/json", ["GET", "HEAD"], () => Results.Text("{\"n\": 1.50, \"s\": \"é\"}", "application/problem+json"));
        app.MapGet("/text", () => "plain é");
        app.MapGet("/latin1", () => Results.Bytes(Encoding.Latin1.GetBytes("é"), "text/plain; charset=iso-8859-1"));
        app.MapGet("/binary", () => Results.Bytes([0xff, 0x00, 0xfe], "application/octet-stream"));
        app.MapGet("/half", () => Results.Text("{\"a\":\"\\ud800\"}", "application/json"));
        app.MapGet("/deep", () => Results.Text(new string('[', 40) + new string(']', 40), "application/json"));
        app.MapGet("/headers", (HttpResponse response) => response.Headers.Append("X-Two", new(["a", "b"])));
        app.MapMethods("/status/{code:int}", ["GET", "POST"], (int code) => Results.StatusCode(code));
        app.MapMethods("/flaky", ["POST"], () => Calls.Count < 3 ? Results.StatusCode(503) : Results.Json(new { ok = true }));
        app.MapGet("/redirect", () => Results.Redirect("/secret"));
        app.MapGet("/slow", () => stopping.Task);
        app.MapGet("/slow-body", async (HttpResponse response) =>
        {
            await response.WriteAsync("begin");
            await response.Body.FlushAsync();
            await stopping.Task;
        });
        app.MapGet("/break", async (HttpContext context) =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("begin");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        app.MapMethods("/bytes/{count:int}", ["GET", "POST"], async (int count, HttpResponse response) =>
        {
            response.ContentType = "text/plain";
            for (var left = count; left > 0; left -= 10_000)
            {
                await response.WriteAsync(new string('x', Math.Min(left, 10_000)));
            }
        });
        app.MapGet("/bomb", async (HttpResponse response) =>
        {
            response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest);
            for (var block = 0; block < 512; block++)
            {
                await gzip.WriteAsync(new byte[64 * 1024]);
            }
        });
    }

    public string Url => app.Urls.First();

    /// <summary>Method and path of every request.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentQueue<string> IdempotencyKeys { get; } = new();

    public static async Task<HttpTestServer> StartAsync()
    {
        var server = new HttpTestServer();
        await server.app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        stopping.TrySetResult();
        await app.DisposeAsync();
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var request = context.Request;
        await context.Response.WriteAsJsonAsync(new
        {
            method = request.Method,
            query = request.QueryString.Value,
            type = request.ContentType,
            token = request.Headers["X-Token"].ToString(),
            key = request.Headers["Idempotency-Key"].ToString(),
            body = await reader.ReadToEndAsync(),
        });
    }
}
