using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// Providers that answer from the run's options, always the same: <c>configurable.mockProvider</c> of test keys (spec/http-core.md 10.5).
/// They take the place of all others.
/// </summary>
internal static class MockProviders
{
    public const string StreamText = "stream-text";
    public const string ToolCalls = "tool-calls";
    public const string Error = "error";
    public const string UsageOnly = "usage-only";

    /// <summary><c>testing.mockProviders</c>.</summary>
    public static readonly string[] Ids = [StreamText, ToolCalls, Error, UsageOnly];

    private const int MaxDelayMs = 5000;
    private const int MaxItems = 10_000;

    /// <summary>The mock that a run has asked for; null = none. An error when its config makes no sense.</summary>
    public static IModelProvider? Of(JsonElement configurable, TimeProvider clock, out NodeError? error)
    {
        error = null;
        if (configurable.Member("mockProvider") is not { } choice)
            return null;

        var mock = new Mock(choice.StringMember("id") ?? "", choice.Member("config") ?? NodeJson.EmptyObject, clock);
        error = mock.Problem is { } problem ? new NodeError(NodeParameters.InvalidCode, $"The mock provider's config is wrong: {problem}.") : null;
        return mock;
    }

    private sealed class Mock : IModelProvider
    {
        private readonly string id;
        private readonly JsonElement config;
        private readonly TimeProvider clock;
        private readonly TimeSpan delay;

        public Mock(string id, JsonElement config, TimeProvider clock)
        {
            this.id = id;
            this.config = config;
            this.clock = clock;
            delay = TimeSpan.FromMilliseconds(config.IntegerMember("delayMsPerToken") ?? 0);
            Problem = Check();
        }

        public bool IsDeterministic => true;

        public string? Problem { get; }

        private string Model => config.StringMember("model") ?? $"mock-{id}-v1";

        public Task<ModelAnswer> CallAsync(ModelRequest request, string identity, TextReceiver receive, CancellationToken cancellationToken) => id switch
        {
            StreamText => StreamAsync(receive, cancellationToken),
            ToolCalls => CallToolsAsync(cancellationToken),
            Error => FailAsync(cancellationToken),
            UsageOnly => Task.FromResult(new ModelAnswer("", "stop", Usage(new ModelUsage(0, 0)), Model)),
            _ => throw new ModelCallException(new NodeError("unsupported_mock_provider", "There is no such mock provider."), isFinal: true),
        };

        private async Task<ModelAnswer> StreamAsync(TextReceiver receive, CancellationToken cancellationToken)
        {
            string[] tokens = config.Member("tokens") is { } list ? [.. list.EnumerateArray().Select(token => token.GetString()!)] : ["mock", " response"];
            for (var i = 0; i < tokens.Length; i++)
            {
                await PauseAsync(cancellationToken);
                if (i < tokens.Length - 1)
                    await receive(tokens[i], cancellationToken);
            }

            return new ModelAnswer(string.Concat(tokens), config.StringMember("finishReason") ?? "stop", Usage(new ModelUsage(1, tokens.Length)), Model)
            {
                Tail = tokens is [.., var last] ? last : "",
            };
        }

        private async Task<ModelAnswer> CallToolsAsync(CancellationToken cancellationToken)
        {
            await PauseAsync(cancellationToken);
            return new ModelAnswer("", "tool_calls", Usage(new ModelUsage(1, 0)), Model) { ToolCalls = config.Member("toolCalls") ?? JsonElement.Parse("[]"u8) };
        }

        private async Task<ModelAnswer> FailAsync(CancellationToken cancellationToken)
        {
            if (config.IntegerMember("failAfterMs") is > 0 and var wait)
                await Task.Delay(TimeSpan.FromMilliseconds(wait), clock, cancellationToken);

            var retryable = config.Member("retryable") is { ValueKind: JsonValueKind.True };
            throw new ModelCallException(
                new NodeError(config.StringMember("code") ?? "mock_provider_error", config.StringMember("message") ?? "The mock provider fails.", retryable), isFinal: true);
        }

        private Task PauseAsync(CancellationToken cancellationToken) => delay > TimeSpan.Zero ? Task.Delay(delay, clock, cancellationToken) : Task.CompletedTask;

        private ModelUsage Usage(ModelUsage otherwise) => config.Member("usage") is { } usage
            ? new ModelUsage(usage.IntegerMember("promptTokens") ?? otherwise.InputTokens, usage.IntegerMember("completionTokens") ?? otherwise.OutputTokens)
            : otherwise;

        private string? Check()
        {
            if (config.Member("delayMsPerToken") is not null && config.IntegerMember("delayMsPerToken") is not (>= 0 and <= MaxDelayMs))
                return $"delayMsPerToken must be from 0 to {MaxDelayMs}";
            if (config.Member("failAfterMs") is not null && config.IntegerMember("failAfterMs") is not (>= 0 and <= 60_000))
                return "failAfterMs must be from 0 to 60000";
            if (config.Member("tokens") is { } tokens && (tokens.ValueKind != JsonValueKind.Array || tokens.GetArrayLength() > MaxItems || tokens.EnumerateArray().Any(token => token.ValueKind != JsonValueKind.String)))
                return $"tokens must be at most {MaxItems} strings";
            if (config.Member("finishReason") is not null && config.StringMember("finishReason") is not ("stop" or "length" or "tool_calls" or "content_filter"))
                return "finishReason is not known";
            if (config.Member("toolCalls") is { } calls && (calls.ValueKind != JsonValueKind.Array || calls.EnumerateArray().Any(call => call.StringMember("id") is null || call.StringMember("name") is null || call.StringMember("arguments") is null)))
                return "toolCalls must have id, name and arguments, all strings";
            return config.Member("usage") is { } usage && (Count(usage, "promptTokens") ?? Count(usage, "completionTokens")) is { } name ? $"usage.{name} must be a whole number from 0" : null;
        }

        private static string? Count(JsonElement usage, string name) => usage.Member(name) is not null && usage.IntegerMember(name) is not >= 0 ? name : null;
    }
}
