namespace OpenWop.Micro.Grpc.Server;

/// <summary>From where a service can be called.</summary>
[Flags]
public enum GrpcExposure
{
    /// <summary>Through the in-process channel of this host.</summary>
    InProcess = 1,

    /// <summary>Over HTTP/2 from other processes.</summary>
    Network = 2,

    Both = InProcess | Network,
}
