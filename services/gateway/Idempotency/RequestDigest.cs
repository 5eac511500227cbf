using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Idempotency;

/// <summary>The digests that tie a call to its idempotency record (spec/http-core.md 6.1).</summary>
internal static class RequestDigest
{
    /// <summary>
    /// <c>sha256(tenant ':' endpoint ':' key)</c>. The tenant is the one of the credential, the endpoint the routed operation.
    /// </summary>
    public static byte[] RecordId(string tenant, string endpoint, string key) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}:{endpoint}:{key}"));

    /// <summary>
    /// The request as the client meant it: the id in the route, because the record is kept per routed operation, and the body in
    /// canonical form, so that member order, white space and the spelling of numbers and strings do not matter.
    /// </summary>
    /// <exception cref="ProtocolException">400: the body is not JSON.</exception>
    public static byte[] OfRequest(string resourceId, ReadOnlyMemory<byte> body)
    {
        var canonical = new ArrayBufferWriter<byte>(body.Length + resourceId.Length + 16);
        try
        {
            using var document = JsonDocument.Parse(body.IsEmpty ? "{}"u8.ToArray() : body);
            using var writer = new Utf8JsonWriter(canonical);
            writer.WriteStartArray();
            writer.WriteStringValue(resourceId);
            WriteCanonical(writer, document.RootElement);
            writer.WriteEndArray();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not valid UTF-16.
            throw new ProtocolException(ProtocolError.Validation("The request body is not valid JSON."));
        }

        return SHA256.HashData(canonical.WrittenSpan);
    }

    /// <summary>
    /// What the acting service keeps unique. It differs per execution, so that a key that has been forgotten is fresh, and per
    /// request, so that a corrected request is never answered with the outcome of the first.
    /// </summary>
    public static string RequestId(ReadOnlySpan<byte> recordId, ReadOnlySpan<byte> execution, ReadOnlySpan<byte> requestDigest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(recordId);
        hash.AppendData(execution);
        hash.AppendData(requestDigest);
        return System.Buffers.Text.Base64Url.EncodeToString(hash.GetHashAndReset());
    }

    private static void WriteCanonical(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                // A stable sort: members that come twice stay in their order, and make a different request than one of them alone.
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    WriteCanonical(writer, member.Value);
                }

                writer.WriteEndObject();
                break;

            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    WriteCanonical(writer, item);
                writer.WriteEndArray();
                break;

            case JsonValueKind.Number:
                WriteNumber(writer, element);
                break;

            case JsonValueKind.String:
                writer.WriteStringValue(element.GetString());
                break;

            default:
                element.WriteTo(writer);
                break;
        }
    }

    /// <summary>One spelling per number: 1, 1.0 and 1e0 are the same. Numbers beyond the exact types keep their spelling.</summary>
    private static void WriteNumber(Utf8JsonWriter writer, JsonElement number)
    {
        if (number.TryGetInt64(out var integer))
            writer.WriteNumberValue(integer);
        else if (number.TryGetDouble(out var value) && double.IsFinite(value) && (Math.Abs(value) < 1L << 53 || Math.Floor(value) != value))
            WriteDouble(writer, value);
        else
            writer.WriteRawValue(number.GetRawText());
    }

    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (Math.Floor(value) == value)
            writer.WriteNumberValue((long)value);
        else
            writer.WriteNumberValue(value);
    }
}
