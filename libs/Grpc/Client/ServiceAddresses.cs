namespace OpenWop.Micro.Grpc.Client;

/// <summary>Where the instances of a service listen.</summary>
/// <remarks>
/// Either one or several <c>http://</c> or <c>https://</c> addresses (not mixed), one per instance; or a single
/// <c>dns:///host:port</c>, whose name is resolved again and again and yields one instance per IP address
/// (cleartext, unless <see cref="ServiceGrpcClientOptions.SecureNames"/> is set).
/// </remarks>
public sealed class ServiceAddresses
{
    /// <exception cref="ArgumentException">No address, an unknown scheme, or a mix of schemes.</exception>
    public ServiceAddresses(IReadOnlyList<Uri> addresses)
    {
        if (addresses.Count == 0)
            throw new ArgumentException("A service needs at least one address.", nameof(addresses));

        Scheme = addresses[0].Scheme;
        if (addresses.Any(address => address.Scheme != Scheme))
            throw new ArgumentException("The addresses of a service must have the same scheme.", nameof(addresses));

        if (Scheme is not ("http" or "https" or "dns") || (Scheme == "dns" && addresses.Count > 1))
            throw new ArgumentException("The addresses of a service must be http, https, or a single dns address.", nameof(addresses));

        Addresses = addresses;
    }

    public IReadOnlyList<Uri> Addresses { get; }

    internal string Scheme { get; }

    /// <summary>Addresses from a text that separates them with commas.</summary>
    /// <exception cref="ArgumentException">As for the constructor.</exception>
    /// <exception cref="UriFormatException">A part is not an address.</exception>
    public static ServiceAddresses Parse(string addresses)
        => new([.. addresses.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(address => new Uri(address))]);
}
