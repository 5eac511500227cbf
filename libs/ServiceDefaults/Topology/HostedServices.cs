using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.ServiceDefaults.Topology;

/// <summary>
/// The services that live in this process. The <c>Add…</c> method of a service enters its name while the host is being built.
/// </summary>
public sealed class HostedServices
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Ordered names.</summary>
    public IEnumerable<string> Names => _names.Order(StringComparer.Ordinal);

    public bool Contains(string service) => _names.Contains(service);

    internal void Add(string service) => _names.Add(service);
}

public static class HostedServicesExtensions
{
    /// <summary>Says that a service lives in this process: clients of it use the in-process channel.</summary>
    public static IServiceCollection HostService(this IServiceCollection services, string service)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(service);
        services.Hosted().Add(service);
        return services;
    }

    /// <summary>The registry of this host, created on first use.</summary>
    internal static HostedServices Hosted(this IServiceCollection services)
    {
        if (services.FirstOrDefault(descriptor => descriptor.ServiceType == typeof(HostedServices))?.ImplementationInstance is HostedServices registered)
            return registered;

        var hosted = new HostedServices();
        services.AddSingleton(hosted);
        return hosted;
    }
}
