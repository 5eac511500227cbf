using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// What an operation came to, as REST sends it. gRPC answers are made from it, and idempotency records hold it.
/// </summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">UTF-8 JSON, sent as it is; empty = no body.</param>
internal sealed record Answer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <summary>Entity tag without quotes.</summary>
    public string? ETag { get; init; }

    /// <summary>Value of <c>Cache-Control</c>.</summary>
    public string? CacheControl { get; init; }

    /// <summary>Value of <c>Capabilities-Etag</c>.</summary>
    public string? CapabilitiesETag { get; init; }

    /// <summary>Set when the answer is an error; its envelope is the body.</summary>
    public ProtocolError? Error { get; init; }

    /// <summary>Whether this answer was given before, to the first call with the same idempotency key.</summary>
    public bool IsReplay { get; init; }

    /// <summary>Whether a part of the answer is an error that passes by itself: a retry executes again instead of repeating it.</summary>
    public bool IsPassing { get; init; }

    public static Answer Json(int status, ReadOnlyMemory<byte> body) => new(status, body);

    public static Answer Failure(ProtocolError error) => new(error.Code.HttpStatus, error.ToUtf8Bytes()) { Error = error };

    /// <summary>Whole seconds after which the client may come back; null = not said.</summary>
    public long? RetryAfterSeconds => Error?.RetryAfterSeconds();
}
