using System.Globalization;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>Sends an <see cref="Answer"/> as an HTTP response.</summary>
internal static class AnswerWriter
{
    public static async Task WriteAnswerAsync(this HttpContext context, Answer answer)
    {
        await RequestBody.DiscardTooLargeAsync(context.Request, context.RequestAborted);
        var response = context.Response;
        response.StatusCode = answer.Status;
        var headers = response.Headers;
        if (answer.ETag is not null)
            headers.ETag = $"\"{answer.ETag}\"";
        if (answer.CacheControl is not null)
            headers.CacheControl = answer.CacheControl;
        if (answer.CapabilitiesETag is not null)
            headers["Capabilities-Etag"] = $"\"{answer.CapabilitiesETag}\"";
        if (answer.RetryAfterSeconds is { } seconds)
            headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (answer.Status == StatusCodes.Status401Unauthorized)
            headers.WWWAuthenticate = "Bearer";
        if (answer.IsReplay)
            headers["openwop-Idempotent-Replay"] = "true";
        if (answer.Body.IsEmpty)
            return;

        response.ContentType = "application/json";
        response.ContentLength = answer.Body.Length;
        await response.BodyWriter.WriteAsync(answer.Body, context.RequestAborted);
    }
}
