using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Sessions;

/// <summary>
/// Lets a browser with a session in where a key would let it in.
/// <list type="number">
/// <item>A session's secret is no key: as a bearer it counts for nothing.</item>
/// <item>Whoever sends a credential in the header is asked for nothing else; the cookie is ignored.</item>
/// <item>A request that another site has caused is left without a credential, whatever cookie it carries.</item>
/// <item>What changes something needs the token that only a page of this site knows: 403.</item>
/// <item>The session then takes the place of the key, and every check that follows is the same.</item>
/// </list>
/// </summary>
internal sealed class SessionMiddleware(RequestDelegate next)
{
    public const string CsrfHeader = "X-CSRF-Token";

    private const string Scheme = "Bearer ";

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var authorization = request.Headers.Authorization.ToString();

        // 1.
        if (authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && authorization.AsSpan(Scheme.Length).Trim().StartsWith(SessionToken.Prefix, StringComparison.Ordinal))
        {
            request.Headers.Authorization = default;
            return next(context);
        }

        // 2. and 3.
        if (authorization.Length > 0 || !IsServed(request.Path) || SessionCookie.Read(request) is not { } token || !SessionToken.IsWellFormed(token) || IsForeign(request))
            return next(context);

        // 4.
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !SessionToken.IsCsrfToken(request.Headers[CsrfHeader], token))
            throw new ProtocolException(new(ErrorCodes.Forbidden, $"A call with a session needs its token in the header {CsrfHeader}."));

        // 5.
        request.Headers.Authorization = Scheme + token;
        return next(context);
    }

    private static bool IsServed(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/v1");

    /// <summary>Browsers say where a request comes from; the cookie's SameSite keeps out those that do not.</summary>
    private static bool IsForeign(HttpRequest request) => request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site";
}
