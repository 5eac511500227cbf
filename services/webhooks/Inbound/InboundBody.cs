using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Reads what was sent, once its signature is known to be right: JSON, a form (as an object of its fields), or nothing.</summary>
internal static class InboundBody
{
    private const int MaxDepth = 60;
    private const int MaxFields = 256;

    /// <returns>Undefined when nothing was sent.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> body, string? contentType, int maxBytes, out JsonElement value, [NotNullWhen(false)] out ProtocolError? error)
    {
        (value, error) = (default, null);
        if (body.IsEmpty)
            return true;

        if (contentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true)
            return TryReadForm(body.Span, out value, out error);

        if (!StrictJson.TryParse(body.Span, new JsonLimits(maxBytes, MaxDepth), out value, out var problem))
            error = problem.ToProtocolError();

        return error is null;
    }

    private static bool TryReadForm(ReadOnlySpan<byte> body, out JsonElement value, [NotNullWhen(false)] out ProtocolError? error)
    {
        (value, error) = (default, null);
        try
        {
            using var reader = new FormReader(Encoding.UTF8.GetString(body)) { ValueCountLimit = MaxFields };
            var buffer = new ArrayBufferWriter<byte>(512);
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                foreach (var (name, values) in reader.ReadForm())
                    writer.WriteString(name, values[0]);
                writer.WriteEndObject();
            }

            value = JsonElement.Parse(buffer.WrittenSpan);
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException)
        {
            error = InboundErrors.Body("The form cannot be read.");
        }

        return error is null;
    }
}
