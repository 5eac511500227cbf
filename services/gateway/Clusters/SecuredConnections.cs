using OpenWop.Micro.ServiceDefaults.Tls;
using Yarp.ReverseProxy.Forwarder;

namespace OpenWop.Micro.Gateway.Clusters;

/// <summary>
/// The proxy's connections, health probes included, with the certificates of the installation. They are for its own services; the console
/// has whatever it has.
/// </summary>
internal sealed class SecuredConnections(ServiceCertificates certificates, ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        if (context.ClusterId != ServiceClusters.Console)
            handler.SslOptions = certificates.ToCall(context.ClusterId);
    }
}
