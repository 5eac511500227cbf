using System.Net;

namespace OpenWop.Micro.Gateway.Sessions;

/// <summary>
/// The cookie of a session: not for scripts, not for other sites, and encrypted connections only. The exception is a browser that
/// talks to its own machine without encryption.
/// </summary>
internal static class SessionCookie
{
    private const string SecureName = "__Host-openwop-session";
    private const string LocalName = "openwop-session";

    public static string? Read(HttpRequest request) => request.Cookies[NameFor(request)];

    public static void Write(HttpContext context, string token, DateTimeOffset expires) =>
        context.Response.Cookies.Append(NameFor(context.Request), token, Options(context.Request, expires));

    public static void Clear(HttpContext context) =>
        context.Response.Cookies.Append(NameFor(context.Request), "", Options(context.Request, DateTimeOffset.UnixEpoch));

    private static CookieOptions Options(HttpRequest request, DateTimeOffset expires) => new()
    {
        HttpOnly = true,
        Secure = !IsLocal(request),
        SameSite = SameSiteMode.Strict,
        Path = "/",
        Expires = expires,
        IsEssential = true,
    };

    private static string NameFor(HttpRequest request) => IsLocal(request) ? LocalName : SecureName;

    /// <summary>The name that the browser used: behind a proxy that ends TLS this is the public one.</summary>
    private static bool IsLocal(HttpRequest request) =>
        !request.IsHttps && (request.Host.Host == "localhost" || (IPAddress.TryParse(request.Host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));
}
