using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Organizations;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using OrganizationsClient = OpenWop.Micro.Contracts.Identity.V1.Organizations.OrganizationsClient;

namespace OpenWop.Micro.Gateway.Sessions;

/// <summary>Opens, describes and closes the session of a browser.</summary>
internal sealed class SessionCalls(OrganizationsClient organizations, MemberCalls members)
{
    /// <summary>Opens a session for the key in the header, and answers with the token that calls with the session need.</summary>
    public async Task<Answer> OpenAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken)
    {
        var token = SessionToken.Create();
        var session = await organizations.OpenSessionAsync(
            new OpenSessionRequest { SessionHash = AdmissionCalls.HashOf(token) },
            call.Caller.CallOptions(OrganizationEndpoints.Service, RunOperations.Patience, cancellationToken));
        var answer = await DescribeAsync(call, token, session.ExpiresAt, StatusCodes.Status201Created, cancellationToken);
        SessionCookie.Write(context, token, DateTimeOffset.FromUnixTimeMilliseconds(session.ExpiresAt));
        return answer;
    }

    /// <summary>What a page needs after it was loaded again.</summary>
    public Task<Answer> GetAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken) =>
        DescribeAsync(call, RequireToken(context), expiresAt: 0, StatusCodes.Status200OK, cancellationToken);

    public async Task<Answer> CloseAsync(HttpContext context, OperationCall call, CancellationToken cancellationToken)
    {
        await organizations.CloseSessionAsync(
            new CloseSessionRequest { SessionHash = AdmissionCalls.HashOf(RequireToken(context)) },
            deadline: DateTime.UtcNow + RunOperations.Patience, cancellationToken: cancellationToken);
        SessionCookie.Clear(context);
        return ControlJson.NoContent;
    }

    private async Task<Answer> DescribeAsync(OperationCall call, string token, long expiresAt, int status, CancellationToken cancellationToken)
    {
        var body = await members.DescribeAsync(call, cancellationToken);
        body.With("csrfToken", SessionToken.CsrfTokenOf(token)).With("expiresAt", ControlJson.Time(expiresAt));
        return Answer.Json(status, ControlJson.Bytes(body)) with { CacheControl = "no-store" };
    }

    /// <summary>The session that the call was made with; a call with a key has none.</summary>
    private static string RequireToken(HttpContext context) =>
        SessionCookie.Read(context.Request) is { } token && SessionToken.IsWellFormed(token) && context.Request.Headers.Authorization == "Bearer " + token
            ? token
            : throw new ProtocolException(ProtocolError.NotFound("session"));
}
