namespace OpenWop.Micro.Grpc;

/// <summary>Limits that clients and servers share.</summary>
public static class GrpcLimits
{
    /// <summary>Bytes a received message may have by default: 8 MiB. Sending is not limited beyond that.</summary>
    public const int MaxMessageSize = 8 * 1024 * 1024;
}
