namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>What this installation is called among hosts (<c>crossHostCausation.hostId</c>): the authority of its public URL.</summary>
internal static class HostIdentity
{
    private const string Unnamed = "openwop-micro";

    /// <param name="publicUrl">Configured base URL, or null.</param>
    public static string Of(string? publicUrl) => publicUrl is null ? Unnamed : new Uri(publicUrl).Authority;
}
