using System.Net;

namespace OpenWop.Micro.Egress;

/// <summary>
/// Where a request to an address that a user has named may go. A URL is checked when it is registered and again when it is
/// used (<see cref="EgressHttp"/>): names change what they stand for.
/// </summary>
public sealed record EgressPolicy
{
    /// <summary>Setting that allows private addresses: <c>true</c> for development and closed networks, never for strangers' workflows.</summary>
    public const string AllowPrivateSetting = "OPENWOP_EGRESS_ALLOW_PRIVATE";

    /// <summary>The same, as it is named where webhooks of private receivers are allowed.</summary>
    public const string AllowPrivateWebhooksSetting = "OPENWOP_WEBHOOK_ALLOW_PRIVATE";

    /// <summary>Public addresses only.</summary>
    public static readonly EgressPolicy Default = new();

    private static readonly string[] InternalSuffixes = ["localhost", "local", "internal", "home.arpa", "localdomain", "lan", "intranet", "corp", "home"];

    /// <summary>Whether addresses of private networks, this machine included, and all ports may be reached.</summary>
    public bool AllowPrivate { get; init; }

    /// <summary>Whether only <c>https</c> is allowed.</summary>
    public bool RequireHttps { get; init; }

    /// <summary>
    /// Why a URL must not be requested, or null. Checks the scheme, the port, user information, names that are internal by
    /// convention, and addresses in any notation; what a name resolves to is checked when connecting.
    /// </summary>
    public EgressDenial? Check(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttps && (RequireHttps || url.Scheme != Uri.UriSchemeHttp)))
        {
            return new EgressDenial(RequireHttps ? "Only https URLs are allowed." : "Only http and https URLs are allowed.");
        }

        if (url.UserInfo.Length > 0)
        {
            return new EgressDenial("A URL must not contain user information.");
        }

        var host = HostOf(url);
        if (host.Length == 0)
        {
            return new EgressDenial("The URL has no host.");
        }

        return CheckPort(url.Port) ?? (IPAddress.TryParse(host, out var address) ? Check(address) : CheckName(host));
    }

    /// <summary>Why an address must not be connected to, or null.</summary>
    public EgressDenial? Check(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return !AllowPrivate && AddressRanges.KindUnlessPublic(address) is { } kind
            ? new EgressDenial($"The address is not public ({kind}).")
            : null;
    }

    /// <summary>Why a port must not be connected to, or null: besides 80 and 443 no privileged port, because mail servers and the like speak to anybody.</summary>
    public EgressDenial? CheckPort(int port) =>
        AllowPrivate || port is 80 or 443 or (>= 1024 and <= 65535) ? null : new EgressDenial($"The port {port} is not allowed.");

    /// <summary>The host without the brackets of an IPv6 address and without dots at the end.</summary>
    internal static string HostOf(Uri url) => url.IdnHost.TrimEnd('.');

    private EgressDenial? CheckName(string host)
    {
        if (AllowPrivate)
        {
            return null;
        }

        // A name without a dot is looked up in the search domains of this network.
        var isInternal = !host.Contains('.', StringComparison.Ordinal)
            || InternalSuffixes.Any(suffix => host.EndsWith("." + suffix, StringComparison.OrdinalIgnoreCase));
        return isInternal ? new EgressDenial("The host name is internal.") : null;
    }
}

/// <summary>Why a request must not be made.</summary>
/// <param name="Reason">One sentence for the user who named the address; says nothing about the network.</param>
public sealed record EgressDenial(string Reason);
