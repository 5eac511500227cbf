using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>What a model is asked (spec/agents.md 10), whoever answers.</summary>
/// <param name="Model">Name as the provider knows it.</param>
internal sealed record ModelRequest(string Model, IReadOnlyList<ModelMessage> Messages)
{
    public string? SystemPrompt { get; init; }
    public double? Temperature { get; init; }

    /// <summary>Most tokens of the answer.</summary>
    public int MaxTokens { get; init; } = DefaultMaxTokens;
    public IReadOnlyList<string> StopSequences { get; init; } = [];

    /// <summary>True when the answer has to be one JSON value.</summary>
    public bool WantsJson { get; init; }

    /// <summary>The provider's key; null = it takes none.</summary>
    public string? Credential { get; init; }

    public const int DefaultMaxTokens = 1024;
}

/// <param name="Role"><c>user</c> or <c>assistant</c>.</param>
internal sealed record ModelMessage(string Role, string Content);

/// <summary>What a model has answered.</summary>
/// <param name="Content">The whole text.</param>
/// <param name="FinishReason"><c>stop</c>, <c>length</c>, <c>tool_calls</c> or <c>content_filter</c>.</param>
/// <param name="Model">The model that has answered.</param>
internal sealed record ModelAnswer(string Content, string FinishReason, ModelUsage Usage, string Model)
{
    /// <summary>What of <see cref="Content"/> was not streamed: it travels with the last chunk.</summary>
    public string Tail { get; init; } = "";

    /// <summary>Why the answer ends, in the provider's own word; null = not known.</summary>
    public string? StopReason { get; init; }

    /// <summary>Array of <c>{id, name, arguments}</c>; null = none.</summary>
    public JsonElement? ToolCalls { get; init; }
}

/// <summary>Tokens of a call.</summary>
internal sealed record ModelUsage(long InputTokens, long OutputTokens)
{
    /// <summary>Of the input, read from and written to the provider's cache; null = not said.</summary>
    public long? CacheReadTokens { get; init; }
    public long? CacheWriteTokens { get; init; }
}

/// <summary>Takes pieces of text as they come.</summary>
internal delegate ValueTask TextReceiver(string piece, CancellationToken cancellationToken);

/// <summary>Speaks to one kind of provider.</summary>
internal interface IModelProvider
{
    /// <summary>True when the same request always gets the same answer, piece by piece.</summary>
    bool IsDeterministic => false;

    /// <summary>Asks a model once.</summary>
    /// <param name="identity">The same for each attempt at one logical call; the provider's idempotency key.</param>
    /// <exception cref="ModelCallException">The provider refused, failed, or did not answer.</exception>
    Task<ModelAnswer> CallAsync(ModelRequest request, string identity, TextReceiver receive, CancellationToken cancellationToken);
}

/// <summary>A call of a model has failed.</summary>
/// <param name="isFinal">True when asking again would get the same answer.</param>
#pragma warning disable CA1032 // Exists only to carry an error value.
internal sealed class ModelCallException(NodeError error, bool isFinal, TimeSpan? retryAfter = null) : Exception(error.Message)
#pragma warning restore CA1032
{
    public NodeError Error => error;

    public bool IsFinal => isFinal;

    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>What an HTTP status means. Nothing of the answer's body is repeated: it may hold what was sent.</summary>
    public static ModelCallException Of(int status, TimeSpan? retryAfter = null) => status switch
    {
        401 or 403 => Final("provider_auth_failed", status, "does not accept the credential"),
        404 => Final("provider_model_not_found", status, "does not know the model"),
        408 or 409 or 425 or 429 or >= 500 => new(
            new NodeError(status == 429 ? "provider_rate_limited" : "provider_unavailable", $"The provider cannot answer now ({status}).", Retryable: true, Details(status)), isFinal: false, retryAfter),
        _ => Final("provider_request_refused", status, "refused the request"),
    };

    public static ModelCallException Unreachable() =>
        new(new NodeError("provider_unavailable", "The provider does not answer, or not as it should.", Retryable: true), isFinal: false);

    private static ModelCallException Final(string code, int status, string what) => new(new NodeError(code, $"The provider {what} ({status}).", Retryable: false, Details(status)), isFinal: true);

    private static JsonElement Details(int status) => NodeJson.Object(writer => writer.WriteNumber("status", status));
}
