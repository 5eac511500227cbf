using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.Client;
using OpenWop.Micro.Examples.RepairLoop;

namespace OpenWop.Micro.RepairLoop.Tests;

/// <summary>
/// A model that says what its script says, and the few routes of the authoring plane that the loop needs: a patch is sound when
/// every block in it is of a known type.
/// </summary>
internal sealed class StandIn : IAsyncDisposable
{
    private static readonly string[] Types = ["trigger_webhook", "transform"];

    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    private StandIn(WebApplication app, string[] script)
    {
        _app = app;
        Script = new(script);
    }

    public ConcurrentQueue<string> Script { get; }

    /// <summary>What the model was told, one conversation per turn.</summary>
    public ConcurrentQueue<JsonArray> Conversations { get; } = new();

    public int Version { get; private set; } = 1;

    public bool HasRun { get; private set; }

    /// <param name="script">What the model says: operations as JSON, or text.</param>
    public static async Task<StandIn> StartAsync(params string[] script)
    {
        var builder = WebApplication.CreateBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var standIn = new StandIn(builder.Build(), script);
        standIn.Map();
        await standIn._app.StartAsync();
        return standIn;
    }

    public async Task<(LoopResult Result, string Output)> RunAsync(string sentence)
    {
        var url = new Uri(_app.Urls.Single());
        using var server = new OpenWopClient(new OpenWopOptions { BaseAddress = url, ApiKey = "hk_secret" });
        await using var output = new StringWriter();
        var loop = new Examples.RepairLoop.RepairLoop(server, new ChatModel(_http, new Uri(url, "/model/v1"), "scripted", key: null), output);
        return (await loop.RunAsync(sentence, CancellationToken.None), output.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    private void Map()
    {
        _app.MapPost("/model/v1/chat/completions", (JsonObject request) =>
        {
            Conversations.Enqueue((JsonArray)request["messages"]!.DeepClone());
            var says = Script.TryDequeue(out var next) ? next : "I am lost.";
            var message = says.StartsWith('[')
                ? Calls("""{"ops":""" + says + "}")
                : says.StartsWith('!') ? Calls(says[1..]) : new JsonObject { ["role"] = "assistant", ["content"] = says };
            return new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["message"] = message }) };
        });
        _app.MapGet("/api/connectors", () => new JsonObject { ["data"] = new JsonArray([.. Types.Select(type => new JsonObject { ["type"] = type })]) });
        _app.MapGet("/api/tools", () => Results.Json(new { error = "not_found", message = "The route does not exist." }, statusCode: 404));
        _app.MapPost("/api/workflows", () => Results.Json(new { id = "w", workflow = new { }, version = 1 }, statusCode: 201));
        _app.MapPost("/api/workflows/w/operations", (HttpRequest request, JsonObject body) =>
        {
            Assert.Equal(Version.ToString(System.Globalization.CultureInfo.InvariantCulture), request.Headers.IfMatch);
            if (body["ops"] is not JsonArray operations)
                return Results.Json(new { error = "invalid_body", message = "'ops' must be an array." }, statusCode: 400);

            Version++;
            var unknown = operations.Where(operation => (string?)operation?["operation_type"] == "add" && !Types.Contains((string?)operation["type"])).ToList();
            var summary = unknown.Count == 0
                ? $"Applied all {operations.Count} operation(s) successfully."
                : $"Applied {operations.Count - unknown.Count} of {operations.Count} operation(s).\n1 skipped:\n- [block_type_not_registered] add: there are {string.Join(", ", Types)}";
            return Results.Json(new { ok = unknown.Count == 0, workflow = new { }, version = Version, validation_errors = Array.Empty<object>(), skipped_items = unknown, summary });
        });
        _app.MapPost("/v1/runs", () =>
        {
            HasRun = true;
            return Results.Json(new { runId = "r", status = "running", eventsUrl = "http://x/r" }, statusCode: 201);
        });
        _app.MapGet("/v1/runs/r", () => new { runId = "r", workflowId = "w", status = "completed" });
        _app.MapGet("/v1/runs/r/events", async (HttpResponse response) =>
        {
            response.ContentType = "text/event-stream";
            await response.WriteAsync("""
                id: 0
                event: run.completed
                data: {"eventId":"e","runId":"r","type":"run.completed","payload":{},"timestamp":"2026-01-01T00:00:00.000Z","sequence":0}


                """);
        });
    }

    private static JsonObject Calls(string arguments) => new()
    {
        ["role"] = "assistant",
        ["tool_calls"] = new JsonArray(new JsonObject
        {
            ["id"] = "call-1",
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = "edit_workflow", ["arguments"] = arguments },
        }),
    };
}
