using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OpenWop.Micro.Protocol.Errors;
using RpcStatus = Google.Rpc.Status;
using Status = Grpc.Core.Status;

namespace OpenWop.Micro.ServiceDefaults.Errors;

/// <summary>
/// Errors of the protocol on gRPC calls: the status of the table, and the whole envelope as a detail in
/// <c>grpc-status-details-bin</c> (spec/interrupts-state-storage.md 10). Between services and towards clients alike.
/// </summary>
public static class ProtocolErrorRpc
{
    /// <summary>Metadata that says, in whole seconds, when to come back; mirrors <c>Retry-After</c>.</summary>
    public const string RetryAfter = "retry-after";

    private const string StatusDetails = "grpc-status-details-bin";

    /// <summary>The error as the exception that ends a gRPC call.</summary>
    public static RpcException ToRpcException(this ProtocolError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return FromEnvelope(error.Code.GrpcStatus, error.Message, error.ToUtf8Bytes(), RetryAfterSeconds(error));
    }

    /// <summary>An envelope that is already serialized as the exception that ends a gRPC call.</summary>
    /// <param name="grpcStatus">Numeric gRPC status.</param>
    /// <param name="message">The envelope's message.</param>
    /// <param name="envelope">UTF-8 JSON, sent byte for byte.</param>
    /// <param name="retryAfterSeconds">Value of <see cref="RetryAfter"/>; null = none.</param>
    public static RpcException FromEnvelope(int grpcStatus, string message, ReadOnlyMemory<byte> envelope, long? retryAfterSeconds = null)
    {
        var status = new RpcStatus
        {
            Code = grpcStatus,
            Message = message,
            Details = { new Any { TypeUrl = ProtocolError.EnvelopeTypeUrl, Value = UnsafeByteOperations.UnsafeWrap(envelope) } },
        };

        var trailers = new Metadata { { StatusDetails, status.ToByteArray() } };
        if (retryAfterSeconds is { } seconds)
            trailers.Add(RetryAfter, seconds.ToString(System.Globalization.CultureInfo.InvariantCulture));

        return new RpcException(new Status((StatusCode)grpcStatus, message), trailers);
    }

    /// <summary>
    /// The protocol error that a call ended with. A call that failed without an envelope becomes the error that says as much as a
    /// client may know: unreachable services are <c>service_unavailable</c>, everything unplanned is <c>internal_error</c>.
    /// </summary>
    public static ProtocolError ToProtocolError(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return Envelope(exception) is { } envelope && ProtocolError.TryParse(envelope.Memory, Fallback(exception.StatusCode), out var error)
            ? error
            : new ProtocolError(Fallback(exception.StatusCode), Message(exception.StatusCode));
    }

    /// <summary>Whole seconds that an error asks a client to wait: <c>details.retryAfter</c>, or <c>details.retryAfterMs</c> rounded up.</summary>
    public static long? RetryAfterSeconds(this ProtocolError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (error.Details?["retryAfter"] is System.Text.Json.Nodes.JsonValue seconds && seconds.TryGetValue(out long s))
            return s;

        return error.Details?["retryAfterMs"] is System.Text.Json.Nodes.JsonValue milliseconds && milliseconds.TryGetValue(out long ms)
            ? (ms + 999) / 1000
            : error.Code == ErrorCodes.ServiceUnavailable ? 1 : null;
    }

    private static ByteString? Envelope(RpcException exception)
    {
        var bytes = exception.Trailers.GetValueBytes(StatusDetails);
        if (bytes is null)
            return null;

        try
        {
            return RpcStatus.Parser.ParseFrom(bytes).Details.FirstOrDefault(detail => detail.TypeUrl == ProtocolError.EnvelopeTypeUrl)?.Value;
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // Not ours; the status alone decides.
        }
    }

    private static ErrorCode Fallback(StatusCode status) => status switch
    {
        StatusCode.Unavailable => ErrorCodes.ServiceUnavailable,
        StatusCode.DeadlineExceeded => ErrorCodes.DeadlineExceededError,
        StatusCode.ResourceExhausted => ErrorCodes.PayloadTooLarge,
        _ => ErrorCodes.InternalError,
    };

    private static string Message(StatusCode status) => status switch
    {
        StatusCode.Unavailable => "The service cannot be reached right now.",
        StatusCode.DeadlineExceeded => "The service did not answer in time.",
        StatusCode.ResourceExhausted => "The document is too large.",
        _ => "Something unexpected went wrong.",
    };
}
