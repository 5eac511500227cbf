using System.Text.Json;

namespace OpenWop.Micro.Client.Transport;

/// <summary>Makes an exception of an error answer, whoever sent it: the server, or a proxy before it.</summary>
internal static class ErrorReader
{
    private const int MaxBody = 1024 * 1024;

    public static async Task<OpenWopException> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
        var code = Text(body, "error") ?? "";
        var message = Text(body, "message");
        if (string.IsNullOrEmpty(message))
            message = code.Length > 0 ? $"The server answered {(int)response.StatusCode} {code}." : $"The server answered {(int)response.StatusCode} {response.ReasonPhrase}.";

        return new OpenWopException(response.StatusCode, code, message, body, RetryAfter(response, body));
    }

    /// <summary>Milliseconds in the body are more exact than the seconds of the header.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage response, JsonElement body)
    {
        foreach (var element in new[] { body, Member(body, "details") })
        {
            if (Member(element, "retryAfterMs") is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var milliseconds) && milliseconds is >= 0 and < 1e9)
                return TimeSpan.FromMilliseconds(milliseconds);
        }

        return response.Headers.RetryAfter?.Delta;
    }

    private static async Task<JsonElement> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) != true || response.Content.Headers.ContentLength > MaxBody)
            return default;

        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            using var document = await JsonDocument.ParseAsync(stream, cancellationToken: cancellationToken).ConfigureAwait(false);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default; // Not ours; the status says enough.
        }
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } member ? member.GetString() : null;
}
