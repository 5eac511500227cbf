using OpenWop.Micro.Grpc.Server;

namespace OpenWop.Micro.ServiceDefaults.Topology;

/// <summary>
/// From where a gRPC service can be called: a process that has the gateway listens on the public address, so nothing but the public
/// transport is offered there. The other processes listen inside the installation.
/// </summary>
internal static class ServiceExposureRule
{
    private const string PublicService = "openwop.v1.Engine";

    public static GrpcExposure ExposureOf(string grpcService, HostedServices hosted) =>
        grpcService == PublicService ? GrpcExposure.Network
        : hosted.Contains("gateway") ? GrpcExposure.InProcess
        : GrpcExposure.Both;
}
