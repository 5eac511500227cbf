using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;
using Status = Grpc.Core.Status;

namespace OpenWop.Micro.Grpc.Errors;

/// <summary>
/// Errors that carry more than a code and a text: a <c>google.rpc.Status</c> in the trailer <c>grpc-status-details-bin</c>, with one
/// detail of any type. The value need not be a protobuf message; the type URL says what the bytes are. Works over both channels.
/// </summary>
public static class RpcErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>An error with one detail. Throw it from a handler.</summary>
    /// <param name="typeUrl">What <paramref name="value"/> is.</param>
    /// <param name="value">The bytes of the detail; copied. Peers accept some kilobytes of trailers, 8 KiB is safe.</param>
    public static RpcException Create(StatusCode code, string message, string typeUrl, ReadOnlySpan<byte> value)
    {
        var status = new RpcStatus
        {
            Code = (int)code,
            Message = message,
            Details = { new Any { TypeUrl = typeUrl, Value = ByteString.CopyFrom(value) } },
        };

        return new RpcException(new Status(code, message), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }

    /// <summary>The whole status that came with an error, or null: it brought none, or bytes that are not one.</summary>
    public static RpcStatus? GetStatus(RpcException error)
    {
        if (error.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes)
            return null;

        try
        {
            return RpcStatus.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            // What a peer sends must not turn one error into another: the status code and message still hold.
            return null;
        }
    }

    /// <summary>
    /// Whether a call failed before any server can have received it: there was no connection. Another attempt repeats nothing then.
    /// </summary>
    public static bool ReachedNobody(RpcException error) => error.StatusCode == StatusCode.Unavailable && error.Status.DebugException switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostNotFound or SocketError.TryAgain } => true,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } => true,
        _ => false,
    };

    /// <summary>The first detail of a type.</summary>
    public static bool TryGetDetail(RpcException error, string typeUrl, out ReadOnlyMemory<byte> value)
    {
        var detail = GetStatus(error)?.Details.FirstOrDefault(detail => detail.TypeUrl == typeUrl);
        value = detail?.Value.Memory ?? default;
        return detail is not null;
    }
}
