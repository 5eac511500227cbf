using System.Globalization;
using System.Text.Json.Nodes;
using Grpc.Core;
using OpenWop.Micro.Grpc.Errors;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.ServiceDefaults.Errors;

/// <summary>
/// Errors of the protocol on gRPC calls: the status of the table, and the whole envelope as a detail in
/// <c>grpc-status-details-bin</c> (spec/interrupts-state-storage.md 10). Between services and towards clients alike.
/// </summary>
public static class ProtocolErrorRpc
{
    /// <summary>Metadata that says, in whole seconds, when to come back; mirrors <c>Retry-After</c>.</summary>
    public const string RetryAfter = "retry-after";

    /// <summary>The error as the exception that ends a gRPC call.</summary>
    public static RpcException ToRpcException(this ProtocolError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return FromEnvelope(error.Code.GrpcStatus, error.Message, error.ToUtf8Bytes(), RetryAfterSeconds(error));
    }

    /// <summary>An envelope that is already serialized as the exception that ends a gRPC call.</summary>
    /// <param name="grpcStatus">Numeric gRPC status.</param>
    /// <param name="message">The envelope's message.</param>
    /// <param name="envelope">UTF-8 JSON, sent byte for byte; at most a few kilobytes, as headers are limited.</param>
    /// <param name="retryAfterSeconds">Value of <see cref="RetryAfter"/>; null = none.</param>
    public static RpcException FromEnvelope(int grpcStatus, string message, ReadOnlyMemory<byte> envelope, long? retryAfterSeconds = null)
    {
        var exception = RpcErrors.Create((StatusCode)grpcStatus, message, ProtocolError.EnvelopeTypeUrl, envelope.Span);
        if (retryAfterSeconds is { } seconds)
            exception.Trailers.Add(RetryAfter, seconds.ToString(CultureInfo.InvariantCulture));

        return exception;
    }

    /// <summary>
    /// The protocol error that a call ended with. A call that failed without an envelope becomes the error that says as much as a
    /// client may know: unreachable services are <c>service_unavailable</c>, everything unplanned is <c>internal_error</c>.
    /// </summary>
    public static ProtocolError ToProtocolError(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return RpcErrors.TryGetDetail(exception, ProtocolError.EnvelopeTypeUrl, out var envelope)
            && ProtocolError.TryParse(envelope, Fallback(exception.StatusCode), out var error)
            ? error
            : new ProtocolError(Fallback(exception.StatusCode), Message(exception.StatusCode));
    }

    /// <summary>Whole seconds that an error asks a client to wait: <c>details.retryAfter</c>, or <c>details.retryAfterMs</c> rounded up.</summary>
    public static long? RetryAfterSeconds(this ProtocolError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return Number(error.Details?["retryAfter"])
            ?? (Number(error.Details?["retryAfterMs"]) + 999) / 1000
            ?? (error.Code == ErrorCodes.ServiceUnavailable ? 1 : null);
    }

    /// <summary>A whole number, whether it was parsed or put together in code.</summary>
    private static long? Number(JsonNode? node) =>
        node is JsonValue value && long.TryParse(value.ToJsonString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static ErrorCode Fallback(StatusCode status) => status switch
    {
        // Cancelled by nobody on this side: the other one is going down.
        StatusCode.Unavailable or StatusCode.Cancelled => ErrorCodes.ServiceUnavailable,
        StatusCode.DeadlineExceeded => ErrorCodes.DeadlineExceededError,
        StatusCode.ResourceExhausted => ErrorCodes.PayloadTooLarge,
        _ => ErrorCodes.InternalError,
    };

    private static string Message(StatusCode status) => status switch
    {
        StatusCode.Unavailable or StatusCode.Cancelled => "The service cannot be reached right now.",
        StatusCode.DeadlineExceeded => "The service did not answer in time.",
        StatusCode.ResourceExhausted => "The document is too large.",
        _ => "Something unexpected went wrong.",
    };
}
