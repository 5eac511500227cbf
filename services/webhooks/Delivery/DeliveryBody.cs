using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>What is sent, and what it is known by.</summary>
internal static class DeliveryBody
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>
    /// The body of a delivery (spec/webhooks-packs.md 1.7): the event as it is stored, and its type beside it. Written once: these bytes are
    /// signed and sent.
    /// </summary>
    /// <param name="document">The event, UTF-8 JSON.</param>
    public static byte[] Write(string runId, string tenant, string type, ReadOnlySpan<byte> document)
    {
        var buffer = new ArrayBufferWriter<byte>(document.Length + 160);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("runId"u8, runId);
        writer.WriteString("workspaceId"u8, tenant);
        writer.WriteString("type"u8, type);
        writer.WritePropertyName("event"u8);
        writer.WriteRawValue(document, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The same for the same event and subscription, however often it is made.</summary>
    public static string IdOf(string webhookId, string runId, long sequence) => "dlv_" + Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{webhookId}\n{runId}\n{sequence}"))).AsSpan(0, 16));
}
