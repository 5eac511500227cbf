using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Core;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using OpenWop.Micro.Egress;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>Messages of Anthropic, and of whoever speaks like it, through the official client.</summary>
internal sealed class AnthropicProvider(AiProvider provider, Func<HttpClient> newClient) : IModelProvider
{
    public const string Kind = "anthropic";

    private const string VendorUrl = "https://api.anthropic.com";

    public async Task<ModelAnswer> CallAsync(ModelRequest request, string identity, TextReceiver receive, CancellationToken cancellationToken)
    {
        // Nothing is taken from the environment of the process. Retries are the engine's.
        using var client = new AnthropicClient(new ClientOptions
        {
            HttpClient = newClient(), // Disposed with the client.
            BaseUrl = (provider.Url?.ToString() ?? VendorUrl).TrimEnd('/'),
            ApiKey = request.Credential ?? "",
            AuthToken = null,
            MaxRetries = 0,
            Timeout = Timeout.InfiniteTimeSpan,
        });
        var parameters = MessageCreateParams.FromRawUnchecked(
            Headers(request, identity),
            new Dictionary<string, JsonElement>(),
            Body(request).EnumerateObject().ToDictionary(member => member.Name, member => member.Value));
        var reading = new Reading();
        try
        {
            await foreach (var @event in client.Messages.CreateStreaming(parameters, cancellationToken))
            {
                if (reading.Take(@event.Json) is { Length: > 0 } text)
                    await receive(text, cancellationToken);
            }
        }
        catch (AnthropicApiException exception)
        {
            throw ModelCallException.Of((int)exception.StatusCode);
        }
        catch (Exception exception) when (ModelErrors.IsBroken(exception) || (exception is AnthropicException && !cancellationToken.IsCancellationRequested))
        {
            throw ModelErrors.Of(exception);
        }

        return reading.End(request.Model);
    }

    private static Dictionary<string, JsonElement> Headers(ModelRequest request, string identity)
    {
        var headers = new Dictionary<string, JsonElement> { ["Idempotency-Key"] = JsonSerializer.SerializeToElement(identity) };
        if (request.Credential is { } key)
            headers["x-api-key"] = JsonSerializer.SerializeToElement(key);
        return headers;
    }

    private static JsonElement Body(ModelRequest request) => NodeJson.Object(writer =>
    {
        writer.WriteString("model", request.Model);
        writer.WriteNumber("max_tokens", request.MaxTokens);
        if (request.SystemPrompt is { } system)
            writer.WriteString("system", system);
        writer.WriteStartArray("messages");
        foreach (var message in request.Messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role", message.Role);
            writer.WriteString("content", message.Content);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (request.Temperature is { } temperature)
            writer.WriteNumber("temperature", temperature);
        if (request.StopSequences.Count > 0)
        {
            writer.WriteStartArray("stop_sequences");
            foreach (var stop in request.StopSequences)
                writer.WriteStringValue(stop);
            writer.WriteEndArray();
        }
    });

    /// <summary>An answer as it comes.</summary>
    private sealed class Reading
    {
        private readonly StringBuilder content = new();
        private string? model;
        private string? stopReason;
        private long input;
        private long output;
        private long? cacheRead;
        private long? cacheWrite;

        /// <summary>Returns the text of the event.</summary>
        public string? Take(JsonElement @event)
        {
            switch (@event.StringMember("type"))
            {
                case "message_start":
                    model = @event.Member("message")?.StringMember("model");
                    Count(@event.Member("message")?.Member("usage"));
                    break;
                case "content_block_delta" when @event.Member("delta") is { } delta && delta.StringMember("text") is { } text:
                    content.Append(text);
                    return text;
                case "message_delta":
                    stopReason = @event.Member("delta")?.StringMember("stop_reason");
                    Count(@event.Member("usage"));
                    break;
            }

            return null;
        }

        public ModelAnswer End(string asked)
        {
            if (stopReason is null)
                throw ModelCallException.Unreachable();

            var reason = stopReason switch
            {
                "max_tokens" or "model_context_window_exceeded" => "length",
                "tool_use" => "tool_calls",
                "refusal" => "content_filter",
                _ => "stop",
            };
            return new ModelAnswer(content.ToString(), reason, new ModelUsage(input, output) { CacheReadTokens = cacheRead, CacheWriteTokens = cacheWrite }, model ?? asked);
        }

        private void Count(JsonElement? usage)
        {
            if (usage is not { } tokens)
                return;

            input = tokens.IntegerMember("input_tokens") ?? input;
            output = tokens.IntegerMember("output_tokens") ?? output;
            cacheRead = tokens.IntegerMember("cache_read_input_tokens") ?? cacheRead;
            cacheWrite = tokens.IntegerMember("cache_creation_input_tokens") ?? cacheWrite;
        }
    }
}

/// <summary>What goes wrong below the protocols of providers.</summary>
internal static class ModelErrors
{
    public static bool IsBroken(Exception exception) => exception is HttpRequestException or IOException or JsonException or EgressDeniedException;

    public static ModelCallException Of(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is EgressDeniedException)
                return new ModelCallException(new NodeError("egress_denied", "The provider's address may not be called."), isFinal: true);
        }

        return ModelCallException.Unreachable();
    }
}
