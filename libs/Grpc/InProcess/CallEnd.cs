using Grpc.Core;

namespace OpenWop.Micro.Grpc.InProcess;

/// <summary>How a call ended for its client.</summary>
/// <param name="ByHandler">Whether the server answered; otherwise the client stopped waiting: cancellation, disposal, deadline.</param>
internal sealed record CallEnd(Status Status, Metadata? Trailers, bool ByHandler)
{
    public static CallEnd Create(Status status, Metadata? trailers, bool byHandler)
        // The exception of a handler stays on its side.
        => new(new Status(status.StatusCode, status.Detail ?? string.Empty), trailers, byHandler);

    public RpcException ToException() => new(Status, Trailers ?? []);
}
