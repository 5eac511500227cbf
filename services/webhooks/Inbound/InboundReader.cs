using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Webhooks.Inbound.Signatures;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>
/// Reads the bodies of requests. <c>null</c> stands for an absent member, members that are not known are passed over, messages name
/// members and never values.
/// </summary>
internal static class InboundReader
{
    public const int MaxSecretLength = 256;

    private const int MinBytes = 1024;
    private const int MaxBytes = 3 << 20;
    private const int DefaultBytes = 1 << 20;
    private const int MaxPatience = 30_000;
    private const int DefaultPatience = 10_000;
    private const int MaxRate = 60_000;
    private const int DefaultRate = 6_000;
    private const int MaxOverlap = 7 * 86_400;
    private const int DefaultOverlap = 86_400;

    private static readonly JsonLimits Body = new(1 << 20, 64);

    /// <exception cref="ProtocolException">The body is no object.</exception>
    public static JsonElement Open(ReadOnlyMemory<byte> utf8)
    {
        if (!StrictJson.TryParse(utf8.Span, Body, out var body, out var problem))
            throw new ProtocolException(InboundErrors.Body(problem.Message));

        return body.ValueKind == JsonValueKind.Object ? body : throw new ProtocolException(InboundErrors.Body("The body must be a JSON object."));
    }

    /// <summary>The secret that a caller brings along, or null.</summary>
    /// <exception cref="ProtocolException">It is none.</exception>
    public static string? ReadSecret(JsonElement body) => Text(body, "secret", MaxSecretLength);

    /// <summary>For how long the secret before a new one is good.</summary>
    public static TimeSpan ReadOverlap(JsonElement body) => TimeSpan.FromSeconds(Number(body, "overlapSeconds", 0, MaxOverlap, DefaultOverlap));

    /// <summary>What a body asks for.</summary>
    /// <exception cref="ProtocolException">What is wrong with it.</exception>
    public static InboundSpec Read(JsonElement body) => new()
    {
        Path = Path(body),
        WorkflowId = Text(body, "workflowId", RunOptionLimits.MaxIdLength) ?? throw Missing("workflowId"),
        Scheme = SignatureSchemes.Find(Choice(body, "scheme", SignatureSchemes.Names))!.Value,
        IsSync = Choice(body, "mode", ["async", "sync"]) == "sync",
        Patience = TimeSpan.FromMilliseconds(Number(body, "timeoutMs", 1, MaxPatience, DefaultPatience)),
        MaxBytes = Number(body, "maxBytes", MinBytes, MaxBytes, DefaultBytes),
        RatePerMinute = Number(body, "ratePerMinute", 1, MaxRate, DefaultRate),
        Inputs = Inputs(body),
    };

    /// <summary>What is stored of a body: the members that are known.</summary>
    public static byte[] Keep(JsonElement body)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in InboundSpec.Members)
            {
                if (Find(body, member) is { } value)
                {
                    writer.WritePropertyName(member);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Path(JsonElement body)
    {
        var path = Text(body, "path", WebhookPath.MaxLength) ?? throw Missing("path");
        return WebhookPath.IsValid(path)
            ? path
            : throw new ProtocolException(InboundErrors.Body(
                "'path' must have segments of A-Z, a-z, 0-9, '-', '_' and '.' with slashes between them, none of which is '.' or '..'.", "path"));
    }

    private static JsonElement Inputs(JsonElement body)
    {
        if (Find(body, "inputs") is not { } inputs)
            return default;

        if (inputs.ValueKind != JsonValueKind.Object || inputs.EnumerateObject().Count() > InputMapping.MaxEntries)
            throw new ProtocolException(InboundErrors.Body($"'inputs' must be an object of at most {InputMapping.MaxEntries} members.", "inputs"));

        foreach (var entry in inputs.EnumerateObject())
        {
            if (entry.Name.Length is 0 or > InputMapping.MaxNameLength || entry.Value.ValueKind != JsonValueKind.String || !InputMapping.IsSource(entry.Value.GetString()!))
            {
                throw new ProtocolException(InboundErrors.Body(
                    "'inputs' must name for each input where it comes from: body, body:/pointer, header:name, query:name or receivedAt.", "inputs"));
            }
        }

        return inputs;
    }

    private static JsonElement? Find(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement body, string name, int maxLength) => Find(body, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= maxLength ? text
        : throw new ProtocolException(InboundErrors.Body($"'{name}' must be a text of 1 to {maxLength} characters.", name));

    private static string Choice(JsonElement body, string name, IReadOnlyList<string> values) =>
        Find(body, name) is not { } value ? values[0]
        : value.ValueKind == JsonValueKind.String && values.Contains(value.GetString()) ? value.GetString()!
        : throw new ProtocolException(InboundErrors.Body($"'{name}' must be one of: {string.Join(", ", values)}.", name));

    private static int Number(JsonElement body, string name, int min, int max, int otherwise) => Find(body, name) is not { } value ? otherwise
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max ? number
        : throw new ProtocolException(InboundErrors.Body($"'{name}' must be a whole number from {min} to {max}.", name));

    private static ProtocolException Missing(string name) => new(InboundErrors.Body($"'{name}' is missing.", name));
}
