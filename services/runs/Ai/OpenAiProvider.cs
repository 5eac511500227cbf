using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.ServerSentEvents;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>Chat completions of OpenAI, and of the many who speak like it, through the official client.</summary>
internal sealed class OpenAiProvider(AiProvider provider, HttpClient http) : IModelProvider
{
    public const string Kind = "openai";

    private const string VendorUrl = "https://api.openai.com/v1";
    private const string NoKey = "none";

    public async Task<ModelAnswer> CallAsync(ModelRequest request, string identity, TextReceiver receive, CancellationToken cancellationToken)
    {
        var client = new ChatClient(request.Model, new ApiKeyCredential(request.Credential is { Length: > 0 } key ? key : NoKey), new OpenAIClientOptions
        {
            Endpoint = provider.Url ?? new Uri(VendorUrl),
            Transport = new HttpClientPipelineTransport(http),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0), // Retries are the engine's.
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        });
        var options = new RequestOptions { CancellationToken = cancellationToken, BufferResponse = false };
        options.AddHeader("Idempotency-Key", identity);
        var reading = new Reading();
        try
        {
            using var body = BinaryContent.Create(BinaryData.FromBytes(JsonMarshal.GetRawUtf8Value(Body(request)).ToArray()));
            var result = await client.CompleteChatAsync(body, options);
            using var response = result.GetRawResponse();
            await foreach (var item in SseParser.Create(response.ContentStream!).EnumerateAsync(cancellationToken))
            {
                if (item.Data == "[DONE]")
                    break;

                if (reading.Take(JsonElement.Parse(item.Data)) is { Length: > 0 } text)
                    await receive(text, cancellationToken);
            }
        }
        catch (ClientResultException exception) when (exception.Status > 0)
        {
            throw ModelCallException.Of(exception.Status, RetryAfter(exception));
        }
        catch (Exception exception) when (exception is ClientResultException || ModelErrors.IsBroken(exception))
        {
            throw ModelErrors.Of(exception);
        }

        return reading.End(request.Model);
    }

    private static TimeSpan? RetryAfter(ClientResultException exception) =>
        exception.GetRawResponse()?.Headers.TryGetValue("Retry-After", out var text) == true && int.TryParse(text, out var seconds) && seconds is >= 0 and <= 3600
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private JsonElement Body(ModelRequest request) => NodeJson.Object(writer =>
    {
        writer.WriteString("model", request.Model);
        writer.WriteStartArray("messages");
        if (request.SystemPrompt is { } system)
            Write(writer, "system", system);
        foreach (var message in request.Messages)
            Write(writer, message.Role, message.Content);
        writer.WriteEndArray();

        // The vendor has renamed it, the others have not.
        writer.WriteNumber(provider.Url is null ? "max_completion_tokens" : "max_tokens", request.MaxTokens);
        if (request.Temperature is { } temperature)
            writer.WriteNumber("temperature", temperature);
        if (request.StopSequences.Count > 0)
        {
            writer.WriteStartArray("stop");
            foreach (var stop in request.StopSequences)
                writer.WriteStringValue(stop);
            writer.WriteEndArray();
        }

        if (request.WantsJson)
        {
            writer.WriteStartObject("response_format");
            writer.WriteString("type", "json_object");
            writer.WriteEndObject();
        }

        writer.WriteBoolean("stream", true);
        writer.WriteStartObject("stream_options");
        writer.WriteBoolean("include_usage", true);
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, string role, string content)
    {
        writer.WriteStartObject();
        writer.WriteString("role", role);
        writer.WriteString("content", content);
        writer.WriteEndObject();
    }

    /// <summary>An answer as it comes.</summary>
    private sealed class Reading
    {
        private readonly StringBuilder content = new();
        private string? model;
        private string? finishReason;
        private bool refused;
        private ModelUsage usage = new(0, 0);

        /// <summary>Returns the text of the event.</summary>
        public string? Take(JsonElement @event)
        {
            model ??= @event.StringMember("model");
            if (@event.Member("usage") is { ValueKind: JsonValueKind.Object } tokens)
            {
                usage = new ModelUsage(tokens.IntegerMember("prompt_tokens") ?? 0, tokens.IntegerMember("completion_tokens") ?? 0)
                {
                    CacheReadTokens = tokens.Member("prompt_tokens_details")?.IntegerMember("cached_tokens"),
                };
            }

            if (@event.Member("choices") is not { ValueKind: JsonValueKind.Array } choices || choices.GetArrayLength() == 0)
                return null;

            finishReason = choices[0].StringMember("finish_reason") ?? finishReason;
            if (choices[0].Member("delta") is not { } delta)
                return null;

            refused |= delta.StringMember("refusal") is { Length: > 0 };
            var text = delta.StringMember("content") ?? delta.StringMember("refusal");
            content.Append(text);
            return text;
        }

        public ModelAnswer End(string asked)
        {
            if (finishReason is null)
                throw ModelCallException.Unreachable();

            var reason = refused ? "content_filter" : finishReason is "length" or "tool_calls" or "content_filter" ? finishReason : "stop";
            return new ModelAnswer(content.ToString(), reason, usage, model ?? asked);
        }
    }
}
