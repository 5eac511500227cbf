using Google.Protobuf;
using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>
/// What replaces serialization: the receiver gets a message of its own, which shares only immutable parts (strings, <c>ByteString</c>).
/// </summary>
internal static class MessageCopy
{
    public static readonly Status TooLargeToSend = new(StatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size.");
    public static readonly Status TooLargeToReceive = new(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size.");

    /// <summary>The size that the message would have on the network, in bytes.</summary>
    public static int Measure<T>(T message, Marshaller<T> marshaller)
        => message is IMessage protobuf ? protobuf.CalculateSize() : marshaller.Serializer(message).Length;

    public static T Copy<T>(T message, Marshaller<T> marshaller)
        => message is IDeepCloneable<T> cloneable ? cloneable.Clone() : marshaller.Deserializer(marshaller.Serializer(message));

    /// <exception cref="RpcException"><c>ResourceExhausted</c>: the message exceeds a limit in bytes.</exception>
    public static void CheckSize(int size, int? maxSend, int? maxReceive)
    {
        if (size > maxSend)
            throw new RpcException(TooLargeToSend);

        if (size > maxReceive)
            throw new RpcException(TooLargeToReceive);
    }
}
