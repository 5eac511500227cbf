using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Examples.RepairLoop;

/// <summary>A function that the model wants called. Its arguments are the model's text and may be anything.</summary>
internal sealed record ToolCall(string Id, string Name, string Arguments);

/// <summary>What the model said.</summary>
internal sealed record Reply(JsonObject Message, string? Text, IReadOnlyList<ToolCall> Calls);

/// <summary>Any endpoint that speaks OpenAI's chat completions with functions.</summary>
internal sealed class ChatModel(HttpClient http, Uri baseUrl, string name, string? key)
{
    public async Task<Reply> AskAsync(IReadOnlyList<JsonObject> messages, JsonArray tools, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, baseUrl.AbsoluteUri.TrimEnd('/') + "/chat/completions");
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Content = JsonContent.Create(new JsonObject
        {
            ["model"] = name,
            ["messages"] = new JsonArray([.. messages.Select(message => message.DeepClone())]),
            ["tools"] = tools.DeepClone(),
        });
        using var response = await http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken);
        var message = answer?["choices"]?[0]?["message"] as JsonObject ?? throw new InvalidOperationException("The model answered without a message.");
        var calls = (message["tool_calls"] as JsonArray ?? []).OfType<JsonObject>().Select(call => new ToolCall(
            (string?)call["id"] ?? "", (string?)call["function"]?["name"] ?? "", (string?)call["function"]?["arguments"] ?? "{}"));
        return new Reply(message, (string?)message["content"], [.. calls]);
    }
}
