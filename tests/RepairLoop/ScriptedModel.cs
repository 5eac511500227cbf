using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.RepairLoop.Tests;

/// <summary>A model that says what its script says, behind the address of OpenAI's chat completions.</summary>
internal sealed class ScriptedModel : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _script;

    private ScriptedModel(WebApplication app, IEnumerable<string> script) => (_app, _script) = (app, new(script));

    public Uri Url => new(_app.Urls.Single() + "/v1");

    /// <summary>What the model was told, one request per turn.</summary>
    public ConcurrentQueue<JsonObject> Requests { get; } = new();

    /// <summary>The last thing that the model was told.</summary>
    public string LastWord => (string)Requests.Last()["messages"]!.AsArray()[^1]!["content"]!;

    /// <param name="script">What the model says: a list of operations, <c>!</c> and other arguments of a call, or text.</param>
    public static async Task<ScriptedModel> StartAsync(params string[] script)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var model = new ScriptedModel(builder.Build(), script);
        model._app.Urls.Add("http://127.0.0.1:0");
        model._app.MapPost("/v1/chat/completions", (JsonObject request) =>
        {
            model.Requests.Enqueue((JsonObject)request.DeepClone());
            return new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["message"] = model.Next() }) };
        });
        await model._app.StartAsync();
        return model;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private JsonObject Next() => (_script.TryDequeue(out var says) ? says : "I am lost.") switch
    {
        ['[', ..] operations => Calls($$"""{"ops":{{operations}}}"""),
        ['!', .. var arguments] => Calls(arguments),
        var text => new JsonObject { ["role"] = "assistant", ["content"] = text },
    };

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
