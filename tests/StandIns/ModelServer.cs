using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OpenWop.Micro.StandIns;

/// <summary>A request that a model got.</summary>
public sealed record ModelRequest(string Path, string Key, string IdempotencyKey, JsonElement Body);

/// <summary>
/// Stands for providers: speaks chat completions at <c>/v1/chat/completions</c> and messages at <c>/v1/messages</c>, both as streams. What
/// it answers depends on the model's name up to a <c>+</c>; with what follows, each test has a model of its own.
/// </summary>
public sealed class ModelServer
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<ModelRequest> _requests = new();

    public IEnumerable<ModelRequest> Of(string model) => _requests.Where(request => request.Body.GetProperty("model").GetString() == model);

    /// <summary>Lets the answers of <c>slow</c> models end.</summary>
    public void Release() => _released.TrySetResult();

    internal void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", context => AnswerAsync(context, isOpenAi: true));
        routes.MapPost("/v1/messages", context => AnswerAsync(context, isOpenAi: false));
    }

    private async Task AnswerAsync(HttpContext context, bool isOpenAi)
    {
        var body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
        var key = isOpenAi ? context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal) : context.Request.Headers["x-api-key"].ToString();
        var request = new ModelRequest(context.Request.Path, key, context.Request.Headers["Idempotency-Key"].ToString(), body);
        _requests.Enqueue(request);
        var model = body.GetProperty("model").GetString()!;
        var behavior = model.Split('+')[0];
        var number = Of(model).Count();
        if ((model.StartsWith("flaky", StringComparison.Ordinal) && number == 1) || model.StartsWith("down", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 503;
            return;
        }

        if (model.StartsWith("locked", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 401;
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { error = new { type = "authentication_error", message = $"{key} is not a key" } }));
            return;
        }

        string[] pieces = behavior switch
        {
            "leaky" => ["the key is ", key[..10], key[10..], " and in base64 ", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(key))],
            "json-late" => number == 1 ? ["{\"answer\":", "\"many\"}"] : ["```json\n{\"answer\":", "42}\n```"],
            "json-never" => ["not ", "json"],
            "refuses" => ["I would ", "rather not"],
            _ => ["Hello", ", ", "world"],
        };
        var reason = behavior switch { "refuses" => isOpenAi ? "content_filter" : "refusal", "cut" => isOpenAi ? "length" : "max_tokens", _ => isOpenAi ? "stop" : "end_turn" };
        context.Response.ContentType = "text/event-stream";
        if (!isOpenAi)
            await EventAsync(context, "message_start", new { type = "message_start", message = new { id = "m1", type = "message", role = "assistant", model, content = Array.Empty<object>(), usage = new { input_tokens = 7, output_tokens = 1 } } });
        if (!isOpenAi)
            await EventAsync(context, "content_block_start", new { type = "content_block_start", index = 0, content_block = new { type = "text", text = "" } });
        foreach (var piece in pieces)
        {
            if (model.StartsWith("slow", StringComparison.Ordinal) && piece == pieces[^1])
                await _released.Task.WaitAsync(TimeSpan.FromSeconds(20), context.RequestAborted);

            await EventAsync(context, "content_block_delta", isOpenAi
                ? new { id = "c1", @object = "chat.completion.chunk", model, choices = new[] { new { index = 0, delta = new { content = piece } } } }
                : new { type = "content_block_delta", index = 0, delta = new { type = "text_delta", text = piece } });
        }

        if (isOpenAi)
        {
            await EventAsync(context, "", new { id = "c1", @object = "chat.completion.chunk", model, choices = new[] { new { index = 0, delta = new { }, finish_reason = reason } } });
            await EventAsync(context, "", new { id = "c1", @object = "chat.completion.chunk", model, choices = Array.Empty<object>(), usage = new { prompt_tokens = 7, completion_tokens = 3, total_tokens = 10 } });
            await context.Response.WriteAsync("data: [DONE]\n\n");
            return;
        }

        await EventAsync(context, "content_block_stop", new { type = "content_block_stop", index = 0 });
        await EventAsync(context, "message_delta", new { type = "message_delta", delta = new { stop_reason = reason }, usage = new { output_tokens = 3 } });
        await EventAsync(context, "message_stop", new { type = "message_stop" });
    }

    private static async Task EventAsync(HttpContext context, string type, object data)
    {
        await context.Response.WriteAsync($"{(type.Length > 0 ? $"event: {type}\n" : "")}data: {JsonSerializer.Serialize(data)}\n\n");
        await context.Response.Body.FlushAsync();
    }
}
