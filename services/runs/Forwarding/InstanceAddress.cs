using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Runs.Forwarding;

/// <summary>
/// Where other instances of the service reach this one: <c>OPENWOP_ADVERTISED_URL</c>, else the address that the process listens on, with
/// the address of the machine in place of a wildcard. Known once the process listens.
/// </summary>
internal sealed class InstanceAddress(IServer server, IConfiguration configuration, HostedServices hosted)
{
    /// <summary>Name of the setting.</summary>
    public const string Setting = "OPENWOP_ADVERTISED_URL";

    /// <summary>What a process without a face towards the others enters in the table of shards.</summary>
    public const string None = "in-process";

    private string? found;

    /// <exception cref="InvalidOperationException">The setting is not an absolute http or https URL.</exception>
    public string Find() => found ??= Look();

    private string Look()
    {
        // Next to a gateway only the public transport listens (ServiceExposureRule).
        if (hosted.Contains("gateway"))
            return None;

        if (configuration[Setting] is { Length: > 0 } configured)
        {
            return Uri.TryCreate(configured, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
                ? uri!.GetLeftPart(UriPartial.Authority)
                : throw new InvalidOperationException($"{Setting} must be an absolute http or https URL.");
        }

        // With two of them the secure one: the other may be there for probes.
        return server.Features.Get<IServerAddressesFeature>()?.Addresses.OrderByDescending(address => address.StartsWith("https:", StringComparison.Ordinal)).FirstOrDefault() is { } bound
            ? WithMachine(bound)
            : None;
    }

    private static string WithMachine(string bound)
    {
        var address = BindingAddress.Parse(bound);
        return address.Host is "*" or "+" or "[::]" or "::" or "0.0.0.0"
            ? new UriBuilder(address.Scheme, MachineAddress(), address.Port).Uri.GetLeftPart(UriPartial.Authority)
            : bound.TrimEnd('/');
    }

    private static string MachineAddress() =>
        Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))?.ToString()
        ?? Dns.GetHostName();
}
