using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Runs.Nodes.Http;

/// <summary>Turns an answer into the outputs of the node.</summary>
internal static class HttpAnswer
{
    /// <summary>
    /// How deep a body may be nested to be taken as JSON: outputs are wrapped by what passes them on, and deeper documents are
    /// an attack more often than data.
    /// </summary>
    private static readonly JsonLimits Limits = new(int.MaxValue, MaxDepth: 32);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary><c>{status, headers, body}</c>, and <c>bodyEncoding: "base64"</c> for bytes that are no text.</summary>
    public static JsonElement ToOutputs(HttpResponseMessage answer, byte[] body)
    {
        var contentType = answer.Content.Headers.ContentType;
        return NodeJson.Object(writer =>
        {
            writer.WriteNumber("status", (int)answer.StatusCode);
            WriteHeaders(writer, answer);
            if (JsonOf(contentType, body) is { } json)
            {
                writer.WritePropertyName("body");
                json.WriteTo(writer);
            }
            else if (TextOf(contentType, body) is { } text)
            {
                writer.WriteString("body", text);
            }
            else
            {
                writer.WriteBase64String("body", body);
                writer.WriteString("bodyEncoding", "base64");
            }
        });
    }

    /// <summary>Null when the body is not declared as JSON, or is not JSON in spite of that.</summary>
    private static JsonElement? JsonOf(MediaTypeHeaderValue? contentType, byte[] body) =>
        IsJson(contentType) && StrictJson.TryParse(body, Limits, out var json, out _) ? json : null;

    private static bool IsJson(MediaTypeHeaderValue? contentType) =>
        contentType?.MediaType is { } mediaType
        && (mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || mediaType.Equals("text/json", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    /// <summary>Lower-case names; values of repeated headers joined as HTTP allows. Their total size is bounded by the client.</summary>
    private static void WriteHeaders(Utf8JsonWriter writer, HttpResponseMessage answer)
    {
        writer.WriteStartObject("headers");
        foreach (var header in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            writer.WriteString(header.Key.ToLower(CultureInfo.InvariantCulture), string.Join(", ", header.Value));
        }

        writer.WriteEndObject();
    }

    /// <summary>The text in the declared encoding, else UTF-8; null when the bytes are none.</summary>
    private static string? TextOf(MediaTypeHeaderValue? contentType, byte[] body)
    {
        try
        {
            return EncodingOf(contentType).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static Encoding EncodingOf(MediaTypeHeaderValue? contentType) => contentType?.CharSet?.Trim('"').ToUpperInvariant() switch
    {
        "ISO-8859-1" or "LATIN1" => Encoding.Latin1,
        "UTF-16" or "UTF-16LE" => new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
        "UTF-16BE" => new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
        _ => StrictUtf8,
    };
}
