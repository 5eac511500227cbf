using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Grpc.SharedPort;

/// <summary>
/// HTTP/1.1 and HTTP/2 with prior knowledge (what gRPC speaks without TLS) on one cleartext port. Kestrel by itself treats such a
/// port as HTTP/1.1 only, because without TLS nothing is negotiated.
/// </summary>
/// <remarks>
/// <para>How a connection finds its way:</para>
/// <list type="number">
/// <item><see cref="Http2PriorKnowledgeMiddleware"/> looks at the first bytes of a connection and leaves them where they are.</item>
/// <item>Anything but the HTTP/2 preface (HTTP/1.1, TLS) continues as if nothing had happened; there is no cost per request.</item>
/// <item>The preface hands the connection over, through <see cref="Http2HandOver"/>, to a second Kestrel server that speaks HTTP/2
/// only, binds no port, and runs the same application (<see cref="SharedPortServer"/>).</item>
/// <item>The connection stays registered at the public server until the second one is done with it, so that connection limits and
/// shutdown cover both.</item>
/// </list>
/// </remarks>
public static class SharedPortExtensions
{
    /// <summary>
    /// Lets every endpoint of the host, however it is configured, accept HTTP/2 with prior knowledge. Endpoints with TLS keep
    /// negotiating. A host that calls <see cref="KestrelServerOptions.ConfigureEndpointDefaults"/> itself replaces the endpoint
    /// defaults and calls <see cref="AcceptHttp2PriorKnowledge"/> there.
    /// </summary>
    /// <exception cref="InvalidOperationException">The host has no server yet.</exception>
    public static IWebHostBuilder UseSharedPorts(this IWebHostBuilder host) => host
        .ConfigureServices(services =>
        {
            if (services.Any(service => service.ServiceType == typeof(Http2HandOver)))
                return;

            var server = services.LastOrDefault(service => service.ServiceType == typeof(IServer))?.ImplementationType
                ?? throw new InvalidOperationException("UseSharedPorts has to come after UseKestrel.");
            services.AddSingleton<Http2HandOver>();
            services.AddSingleton<IServer>(provider => ActivatorUtilities.CreateInstance<SharedPortServer>(
                provider, (IServer)ActivatorUtilities.CreateInstance(provider, server)));
        })
        .ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.AcceptHttp2PriorKnowledge()));

    /// <summary>
    /// Lets one endpoint accept HTTP/2 with prior knowledge beside HTTP/1.1. Needs <see cref="UseSharedPorts"/>, and has to come
    /// before <c>UseHttps</c>. Endpoints that do not offer both versions are left alone.
    /// </summary>
    public static ListenOptions AcceptHttp2PriorKnowledge(this ListenOptions endpoint)
    {
        // Decided when the endpoint is bound: its protocols may still change after this call.
        endpoint.Use(next => endpoint.Protocols.HasFlag(HttpProtocols.Http1AndHttp2)
            ? new Http2PriorKnowledgeMiddleware(
                next, endpoint.ApplicationServices.GetRequiredService<Http2HandOver>(), endpoint.KestrelServerOptions.Limits).OnConnectionAsync
            : next);
        return endpoint;
    }
}
