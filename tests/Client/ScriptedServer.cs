using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.Client.Tests;

/// <summary>What a client has sent.</summary>
internal sealed record Seen(string Method, string Path, string Body, IHeaderDictionary Headers);

/// <summary>An HTTP server that does what its script says, one answer after the other.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _script = new();

    private ScriptedServer(WebApplication app)
    {
        _app = app;
        Client = null!;
    }

    public OpenWopClient Client { get; private set; }

    public ConcurrentQueue<Seen> Requests { get; } = new();

    public static async Task<ScriptedServer> StartAsync(params Func<HttpContext, Task>[] script)
    {
        var builder = WebApplication.CreateBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var server = new ScriptedServer(builder.Build());
        foreach (var step in script)
            server._script.Enqueue(step);

        server._app.Run(server.AnswerAsync);
        await server._app.StartAsync();
        server.Client = new OpenWopClient(new OpenWopOptions
        {
            BaseAddress = new Uri(server._app.Urls.Single() + "/base/"),
            ApiKey = "hk_secret",
            RetryDelay = TimeSpan.FromMilliseconds(1),
        });
        return server;
    }

    public static Func<HttpContext, Task> Json(int status, string body, params (string Name, string Value)[] headers) => async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        foreach (var (name, value) in headers)
            context.Response.Headers[name] = value;
        await context.Response.WriteAsync(body);
    };

    /// <summary>Sends frames and then ends properly.</summary>
    public static Func<HttpContext, Task> Frames(params int[] sequences) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var sequence in sequences)
            await context.Response.WriteAsync(Frame(sequence));
    };

    /// <summary>Sends frames and breaks off in the middle of one: the connection ends before the length that was promised.</summary>
    public static Func<HttpContext, Task> BrokenFrames(params int[] sequences) => async context =>
    {
        context.Response.ContentLength = 10_000;
        await Frames(sequences)(context);
        await context.Response.WriteAsync("id: 99\nevent: node.comp");
    };

    public static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private static string Frame(int sequence)
    {
        var type = sequence == 9 ? "run.completed" : "node.completed";
        return $"id: {sequence}\nevent: {type}\ndata: {{\"eventId\":\"e{sequence}\",\"runId\":\"r\",\"type\":\"{type}\",\"payload\":{{}},\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"sequence\":{sequence}}}\n\n";
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        Requests.Enqueue(new Seen(context.Request.Method, context.Request.Path + context.Request.QueryString, await reader.ReadToEndAsync(), new HeaderDictionary(context.Request.Headers.ToDictionary())));
        if (_script.TryDequeue(out var step))
            await step(context);
        else
            context.Response.StatusCode = StatusCodes.Status418ImATeapot;
    }
}
