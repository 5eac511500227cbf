using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>What absolute URLs in answers start with: <c>OPENWOP_PUBLIC_URL</c>, else the address that the client itself used.</summary>
internal sealed class PublicAddress(IConfiguration configuration)
{
    /// <summary>The configured base URL without a trailing slash, or null.</summary>
    public string? Configured { get; } = configuration.PublicBaseUrl();

    public string BaseUrl(HttpRequest request) => Configured ?? $"{request.Scheme}://{request.Host.ToUriComponent()}";
}
