using System.Collections.Frozen;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>
/// What issuer and verifiers of internal tokens agree on. A token is a JWT signed with ES256 by identity; its audience is one
/// service, so that a service cannot use the tokens it receives at another one.
/// </summary>
public static class InternalTokens
{
    /// <summary><c>iss</c> of every token.</summary>
    public const string Issuer = "identity";

    /// <summary>The only signature algorithm that is accepted.</summary>
    public const string Algorithm = "ES256";

    public const string TenantClaim = "tenant";
    public const string PrincipalClaim = "sub";
    public const string KeyIdClaim = "key";
    public const string ScopesClaim = "scopes";
    public const string ModeClaim = "mode";
    public const string ServiceClaim = "svc";
    public const string TestMode = "test";
    public const string LiveMode = "live";

    /// <summary>How long a token lives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How far the clocks of two machines may be apart.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The services that calls can be made to, by the name in their package <c>openwop.{name}.v1</c>.</summary>
    public static readonly FrozenSet<string> Audiences =
        FrozenSet.ToFrozenSet(["identity", "runs", "scheduler", "webhooks", "workflows"], StringComparer.Ordinal);

    /// <summary>Services that anybody may call: they have no callers of their own, or authenticate them by API key.</summary>
    private static readonly FrozenSet<string> PublicServices = FrozenSet.ToFrozenSet(
        ["openwop.v1.Engine", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"],
        StringComparer.Ordinal);

    /// <summary>Methods without which nobody could get or verify a token.</summary>
    private static readonly FrozenSet<string> PublicMethods = FrozenSet.ToFrozenSet(
        ["/openwop.identity.v1.Identity/IssueServiceToken", "/openwop.identity.v1.Identity/GetSigningKeys"],
        StringComparer.Ordinal);

    /// <summary>Whether a method can be called without a token. Everything that is not listed needs one.</summary>
    /// <param name="method"><c>/package.Service/Method</c>.</param>
    public static bool IsPublic(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        var end = method.LastIndexOf('/');
        return PublicMethods.Contains(method)
            || (end > 1 && PublicServices.GetAlternateLookup<ReadOnlySpan<char>>().Contains(method.AsSpan(1, end - 1)));
    }

    /// <summary>The audience that a token for a method must have: <c>runs</c> for <c>/openwop.runs.v1.Runs/GetRun</c>; null when it is no method of a service of ours.</summary>
    public static string? AudienceOf(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        const string Prefix = "/openwop.";
        if (!method.StartsWith(Prefix, StringComparison.Ordinal))
            return null;

        var name = method.AsSpan(Prefix.Length);
        var end = name.IndexOf('.');
        return end > 0 && Audiences.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..end], out var audience) ? audience : null;
    }
}
