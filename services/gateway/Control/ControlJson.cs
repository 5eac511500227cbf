using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.Control;

/// <summary>Documents of the authoring plane: absent instead of null, times in RFC 3339 UTC with milliseconds.</summary>
internal static class ControlJson
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Bytes(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node, Options);

    public static Answer Ok(JsonNode body) => Answer.Json(StatusCodes.Status200OK, Bytes(body));

    public static Answer Created(JsonNode body) => Answer.Json(StatusCodes.Status201Created, Bytes(body));

    public static Answer NoContent { get; } = new(StatusCodes.Status204NoContent, default);

    /// <summary>A page of a list.</summary>
    /// <param name="next">Cursor of the next page; null at the end.</param>
    public static Answer Page(IEnumerable<JsonNode> data, string? next) =>
        Ok(new JsonObject { ["data"] = new JsonArray([.. data]), ["pagination"] = new JsonObject { ["next"] = next } });

    /// <summary>A point in time; null stays absent.</summary>
    /// <param name="unixMilliseconds">0 = never.</param>
    public static string? Time(long unixMilliseconds) => unixMilliseconds == 0
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Sets a member unless the value is absent.</summary>
    public static JsonObject With(this JsonObject body, string name, JsonNode? value)
    {
        if (value is not null)
            body[name] = value;

        return body;
    }
}
