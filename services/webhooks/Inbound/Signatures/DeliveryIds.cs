using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Webhooks.Inbound.Signatures;

/// <summary>By what a sender's repeated attempts are recognized.</summary>
internal static class DeliveryIds
{
    private static readonly string[] Headers = ["x-openwop-delivery-id", "x-github-delivery"];

    /// <summary>
    /// A digest of the delivery id, or null when there is none. Nothing that a sender has chosen goes further than this.
    /// </summary>
    public static string? KeyOf(SignatureScheme scheme, IReadOnlyDictionary<string, string> headers, JsonElement body)
    {
        // Where the sender's event has an id it is signed, which a header is not.
        var signed = scheme switch
        {
            SignatureScheme.Stripe => Text(body, "id"),
            SignatureScheme.Slack => Text(body, "event_id"),
            _ => null,
        };
        var id = signed ?? Array.ConvertAll(Headers, headers.GetValueOrDefault).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return id is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
    }

    private static string? Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;
}
