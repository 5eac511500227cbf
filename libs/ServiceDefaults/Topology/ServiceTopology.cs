using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.ServiceDefaults.Topology;

/// <summary>Where the services of the installation are, seen from this process.</summary>
public sealed class ServiceTopology(HostedServices hosted, IConfiguration configuration)
{
    /// <summary>Whether the service lives in this process.</summary>
    public bool IsLocal(string service) => hosted.Contains(service);

    /// <summary>Whether the installation has the service, here or elsewhere.</summary>
    public bool Has(string service) => IsLocal(service) || configuration.ServiceAddresses(service).Count > 0;

    /// <summary>The configured addresses of a service in another process.</summary>
    /// <exception cref="ServiceAbsentException">The service is neither here nor configured.</exception>
    public IReadOnlyList<Uri> AddressesOf(string service) =>
        configuration.ServiceAddresses(service) is { Count: > 0 } addresses
            ? addresses
            : throw new ServiceAbsentException(service);
}

/// <summary>The installation has no such service, or this process has not been told where.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always names the service.")]
public sealed class ServiceAbsentException(string service)
    : InvalidOperationException($"The service '{service}' does not live in this process, and {Settings.AddressesOf(service)} does not say where it is.")
{
    public string Service { get; } = service;
}
