using System.Globalization;
using Grpc.Core;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Errors;

/// <summary>
/// Gives every error a body: what routing answers without one (404, 405, 415), and exceptions that no operation caught. Nothing
/// leaves the server without the closed envelope (spec/http-core.md 2.1).
/// </summary>
internal sealed class EnvelopeMiddleware(RequestDelegate next, ErrorTranslator errors)
{
    public async Task InvokeAsync(HttpContext context)
    {
        ProtocolError? error;
        try
        {
            await next(context);
            if (context.Response.StatusCode < 400 || HasBody(context.Response))
                return;

            if (context.Response.StatusCode == StatusCodes.Status404NotFound && AnswerGrpc(context))
                return;

            if (IsProbeForRegistry(context))
            {
                await context.Response.WriteAsync("There is no pack registry here.\n", context.RequestAborted);
                return;
            }

            error = FromStatus(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // Nobody is there to read an answer.
        }
        catch (Exception exception)
        {
            if (context.Response.HasStarted)
                throw; // Too late for an answer: the server drops the connection, and the client sees that something is missing.

            error = errors.Translate(exception, context.Request.Method);
            context.Response.Clear();
        }

        var answer = Answer.Failure(error);
        await context.WriteAnswerAsync(ControlErrors.Owns(context.Request.Path) ? ControlErrors.Translate(answer) : answer);
    }

    private static bool HasBody(HttpResponse response) => response.HasStarted || response.ContentLength > 0 || response.ContentType is not null;

    /// <summary>A gRPC call of a method that does not exist gets its answer in the language of its transport.</summary>
    private static bool AnswerGrpc(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
            return false;

        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.Unimplemented).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = "The method does not exist.";
        return true;
    }

    /// <summary>Clients probe for a pack registry and take any JSON with an <c>error</c> for one (spec/conformance.md 3).</summary>
    private static bool IsProbeForRegistry(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status404NotFound && context.Request.Path.StartsWithSegments("/v1/packs");

    private static ProtocolError FromStatus(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound when !IsVersioned(context.Request.Path) && !ControlErrors.Owns(context.Request.Path) =>
            new(ErrorCodes.UnversionedPath, "The path has no version: routes of the protocol start with /v1/."),
        StatusCodes.Status404NotFound => ProtocolError.NotFound("route"),
        StatusCodes.Status405MethodNotAllowed => new(ErrorCodes.MethodNotAllowed, "The route does not serve this method."),
        StatusCodes.Status413PayloadTooLarge => new(ErrorCodes.PayloadTooLarge, "The request body is too large."),
        StatusCodes.Status415UnsupportedMediaType => new(ErrorCodes.UnsupportedMediaType, "The request body must be application/json."),
        < 500 => ProtocolError.Validation("The request is not valid."),
        _ => new(ErrorCodes.InternalError, "Something unexpected went wrong."),
    };

    /// <summary><c>/v1</c>, <c>/v2/…</c>, or a name that is well known.</summary>
    private static bool IsVersioned(PathString path)
    {
        if (path.StartsWithSegments("/.well-known"))
            return true;

        var value = path.Value.AsSpan().TrimStart('/');
        var end = value.IndexOf('/');
        var first = end < 0 ? value : value[..end];
        return first.Length > 1 && first[0] == 'v' && !first[1..].ContainsAnyExceptInRange('0', '9');
    }
}
