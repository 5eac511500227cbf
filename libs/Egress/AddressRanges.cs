using System.Net;
using System.Net.Sockets;

namespace OpenWop.Micro.Egress;

/// <summary>
/// Which addresses are on the public internet. IPv4: everything outside the special ranges. IPv6: the global unicast block
/// without its special ranges; whatever may be assigned later is refused until this table says otherwise.
/// </summary>
internal static class AddressRanges
{
    private static readonly (IPNetwork Network, string Kind)[] Special4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "unspecified"),
        (IPNetwork.Parse("10.0.0.0/8"), "private"),
        (IPNetwork.Parse("100.64.0.0/10"), "carrier-grade NAT"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        (IPNetwork.Parse("172.16.0.0/12"), "private"),
        (IPNetwork.Parse("192.0.0.0/24"), "reserved"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"),
        (IPNetwork.Parse("192.88.99.0/24"), "6to4"),
        (IPNetwork.Parse("192.168.0.0/16"), "private"),
        (IPNetwork.Parse("198.18.0.0/15"), "benchmarking"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
    ];

    private static readonly IPNetwork GlobalUnicast6 = IPNetwork.Parse("2000::/3");

    /// <summary>The well-known prefix under which networks without IPv4 reach IPv4 addresses.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    private static readonly (IPNetwork Network, string Kind)[] Special6 =
    [
        (IPNetwork.Parse("::/128"), "unspecified"),
        (IPNetwork.Parse("::1/128"), "loopback"),
        (IPNetwork.Parse("fc00::/7"), "private"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("fec0::/10"), "private"),
        (IPNetwork.Parse("ff00::/8"), "multicast"),
        (IPNetwork.Parse("2001::/23"), "reserved"),
        (IPNetwork.Parse("2001:db8::/32"), "documentation"),
        (IPNetwork.Parse("2002::/16"), "6to4"),
        (IPNetwork.Parse("3fff::/20"), "documentation"),
    ];

    /// <summary>What kind of address it is when it is not public, otherwise null.</summary>
    public static string? KindUnlessPublic(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return KindIn(Special4, address);
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return "unknown";
        }

        // An IPv4 address in IPv6 clothes is what it is underneath.
        if (address.IsIPv4MappedToIPv6)
        {
            return KindUnlessPublic(address.MapToIPv4());
        }

        if (Nat64.Contains(address))
        {
            return KindUnlessPublic(new IPAddress(address.GetAddressBytes().AsSpan(12)));
        }

        return KindIn(Special6, address) ?? (GlobalUnicast6.Contains(address) ? null : "reserved");
    }

    private static string? KindIn((IPNetwork Network, string Kind)[] ranges, IPAddress address)
    {
        foreach (var (network, kind) in ranges)
        {
            if (network.Contains(address))
            {
                return kind;
            }
        }

        return null;
    }
}
