using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Grpc.Client;
using OpenWop.Micro.ServiceDefaults.Tls;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.ServiceDefaults.Clients;

/// <summary>Typed clients of the other services of the installation.</summary>
public static class ServiceClientExtensions
{
    /// <summary>
    /// Adds a client of another service: in process when the service lives here, else over the addresses of
    /// <c>OPENWOP_&lt;SERVICE&gt;_URL</c>. Safe to call by several services of one process.
    /// </summary>
    /// <param name="service">Name of the service that offers the client's gRPC service, such as <c>runs</c>.</param>
    public static WebApplicationBuilder AddServiceClient<TClient>(this WebApplicationBuilder builder, string service)
        where TClient : ClientBase<TClient>
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddServiceGrpcClient<TClient>(service, static options => options.Addresses = FindAddresses);
        if (builder.Configuration.UsesServiceTls())
        {
            builder.Services.AddOptions<ServiceGrpcClientOptions>(service).Configure<ServiceCertificates>((options, certificates) =>
            {
                options.SecureNames = true;
                options.ConfigureHandler = handler => handler.SslOptions = certificates.ToCall(service);
            });
        }

        return builder;
    }

    private static ServiceAddresses FindAddresses(IServiceProvider services, string service) =>
        new(services.GetRequiredService<ServiceTopology>().AddressesOf(service));
}
