using System.Net;

namespace OpenWop.Micro.Egress.Tests;

public sealed class EgressPolicyTests
{
    [Theory]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.255.255.255", "unspecified")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("100.64.0.0", "carrier-grade NAT")]
    [InlineData("100.127.255.255", "carrier-grade NAT")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.255", "loopback")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.0.0.8", "reserved")]
    [InlineData("192.0.2.1", "documentation")]
    [InlineData("192.88.99.1", "6to4")]
    [InlineData("192.168.0.1", "private")]
    [InlineData("198.18.0.0", "benchmarking")]
    [InlineData("198.19.255.255", "benchmarking")]
    [InlineData("198.51.100.1", "documentation")]
    [InlineData("203.0.113.1", "documentation")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "reserved")]
    [InlineData("::", "unspecified")]
    [InlineData("::1", "loopback")]
    [InlineData("::127.0.0.1", "reserved")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:10.1.2.3", "private")]
    [InlineData("64:ff9b::169.254.169.254", "link-local")]
    [InlineData("64:ff9b::7f00:1", "loopback")]
    [InlineData("64:ff9b:1::1", "reserved")]
    [InlineData("100::1", "reserved")]
    [InlineData("2001::1", "reserved")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("2002:7f00:1::", "6to4")]
    [InlineData("2002:808:808::", "6to4")]
    [InlineData("3fff::1", "documentation")]
    [InlineData("4000::1", "reserved")]
    [InlineData("5f00::1", "reserved")]
    [InlineData("fc00::1", "private")]
    [InlineData("fdff:ffff::1", "private")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("fe80::1%3", "link-local")]
    [InlineData("fec0::1", "private")]
    [InlineData("ff02::1", "multicast")]
    public void Addresses_that_are_not_public_are_denied(string address, string kind)
    {
        Assert.Equal($"The address is not public ({kind}).", EgressPolicy.Default.Check(IPAddress.Parse(address))?.Reason);
        Assert.Null(new EgressPolicy { AllowPrivate = true }.Check(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.167.255.255")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001::1")]
    [InlineData("2001:200::1")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::1.1.1.1")]
    public void Public_addresses_are_allowed(string address) => Assert.Null(EgressPolicy.Default.Check(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0x7f.0.0.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://0/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[0:0:0:0:0:ffff:7f00:1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[64:ff9b::7f00:1]/")]
    [InlineData("http://localhost/")]
    [InlineData("http://LOCALHOST./")]
    [InlineData("http://api.LocalHost/")]
    [InlineData("http://printer.local/")]
    [InlineData("http://metadata.google.internal/")]
    [InlineData("http://metadata/")]
    [InlineData("http://intranet/")]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://example.com/")]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("http://example.com:25/")]
    [InlineData("http://example.com:22/")]
    [InlineData("http://example.com:0/")]
    public void Urls_are_denied_in_any_notation(string url)
    {
        Assert.True(Uri.TryCreate(url, UriKind.Absolute, out var uri));
        Assert.NotNull(EgressPolicy.Default.Check(uri));
    }

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("HTTP://EXAMPLE.com./a?b=c#d")]
    [InlineData("https://example.com:8443/")]
    [InlineData("http://1.1.1.1/")]
    [InlineData("http://[2606:4700::1111]/")]
    [InlineData("https://xn--bcher-kva.example/")]
    [InlineData("https://internal.example.com/")]
    public void Public_urls_are_allowed(string url) => Assert.Null(EgressPolicy.Default.Check(new Uri(url)));

    [Theory]
    [InlineData("http://127.0.0.1:5000/")]
    [InlineData("http://localhost:25/")]
    [InlineData("http://intranet/")]
    public void Private_urls_are_allowed_by_decision_only(string url) => Assert.Null(new EgressPolicy { AllowPrivate = true }.Check(new Uri(url)));

    [Theory]
    [InlineData("ftp://localhost/")]
    [InlineData("http://user@localhost/")]
    public void Scheme_and_user_information_are_never_a_matter_of_decision(string url) =>
        Assert.NotNull(new EgressPolicy { AllowPrivate = true }.Check(new Uri(url)));

    [Fact]
    public void Https_can_be_required()
    {
        var policy = new EgressPolicy { RequireHttps = true };
        Assert.Equal("Only https URLs are allowed.", policy.Check(new Uri("http://example.com/"))?.Reason);
        Assert.Null(policy.Check(new Uri("https://example.com/")));
    }
}
