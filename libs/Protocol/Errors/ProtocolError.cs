using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Protocol.Errors;

/// <summary>
/// An error of the protocol as a value: what becomes the closed envelope <c>{error, message, details?}</c>
/// (spec/http-core.md 2.1).
/// </summary>
/// <param name="Code">Row of the error table.</param>
/// <param name="Message">Non-empty text for people; never internals, never a credential.</param>
/// <param name="Details">Context, an object or absent; never null on the wire.</param>
public sealed record ProtocolError(ErrorCode Code, string Message, JsonObject? Details = null)
{
    /// <summary>The type URL under which the envelope travels in gRPC status details (spec/interrupts-state-storage.md 10).</summary>
    public const string EnvelopeTypeUrl = "openwop.dev/spec/v1/ErrorEnvelope";

    // Readable for people: quotes and apostrophes of messages stay what they are. The envelope is never part of a page.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A <c>validation_error</c>, optionally naming the field at fault.</summary>
    public static ProtocolError Validation(string message, string? field = null) =>
        new(ErrorCodes.ValidationError, message, field is null ? null : new JsonObject { ["field"] = field });

    /// <summary>A <c>not_found</c> that says the same for absent and for invisible things.</summary>
    public static ProtocolError NotFound(string what) => new(ErrorCodes.NotFound, $"The {what} does not exist.");

    /// <summary>The envelope as UTF-8 JSON.</summary>
    public byte[] ToUtf8Bytes()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes the envelope object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("error", Code.Name);
        writer.WriteString("message", Message);
        if (Details is not null)
        {
            writer.WritePropertyName("details");
            Details.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads an envelope back. False when the bytes are not one; an unknown code keeps its name with <paramref name="fallback"/>'s statuses.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> utf8, ErrorCode fallback, [NotNullWhen(true)] out ProtocolError? error)
    {
        ArgumentNullException.ThrowIfNull(fallback);
        error = null;
        try
        {
            if (JsonNode.Parse(utf8.Span) is not JsonObject envelope
                || envelope["error"]?.GetValue<string>() is not { Length: > 0 } name
                || envelope["message"]?.GetValue<string>() is not { Length: > 0 } message)
            {
                return false;
            }

            var details = envelope["details"]?.DeepClone() as JsonObject;
            error = new ProtocolError(ErrorCodes.Find(name) ?? fallback with { Name = name }, message, details);
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}

/// <summary>Carries a <see cref="ProtocolError"/> through code that cannot return it; the edge turns it into the envelope.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Exists only to carry an error value.")]
public class ProtocolException(ProtocolError error) : Exception(error?.Message)
{
    public ProtocolError Error { get; } = error ?? throw new ArgumentNullException(nameof(error));
}
