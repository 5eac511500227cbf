using System.Buffers;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Webhooks.Inbound.Signatures;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Whose: everything belongs to a tenant and to one of its modes.</summary>
internal readonly record struct InboundOwner(string Tenant, bool IsTest);

/// <summary>A URL at which another system starts runs of a workflow.</summary>
/// <param name="Token">The part of the URL that cannot be guessed; never given to another webhook.</param>
/// <param name="Principal">Who made it; its runs are made in this name.</param>
/// <param name="SpecJson">What its maker asked for, without the secret.</param>
internal sealed record InboundWebhook(string Id, InboundOwner Owner, string Token, string Principal, byte[] SpecJson)
{
    public required byte[] Secret { get; init; } // sealed

    /// <summary>The secret before this one, sealed; null = none.</summary>
    public byte[]? PreviousSecret { get; init; }

    /// <summary>Until when the previous secret is good.</summary>
    public DateTimeOffset PreviousUntil { get; init; }

    /// <summary>The last request that gave it a new secret; null = none that can be repeated.</summary>
    public string? RotationId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The same webhook with another spec; one that was read before does not come along.</summary>
    public InboundWebhook WithSpec(byte[] specJson) => new(Id, Owner, Token, Principal, specJson)
    {
        Secret = Secret,
        PreviousSecret = PreviousSecret,
        PreviousUntil = PreviousUntil,
        RotationId = RotationId,
        CreatedAt = CreatedAt,
    };

    public InboundSpec Spec => field ??= InboundReader.Read(JsonElement.Parse(SpecJson));

    /// <summary>The webhook as its owner sees it.</summary>
    /// <param name="baseUrl">What its URL starts with.</param>
    /// <param name="secret">Shown when it was just made; else null.</param>
    public byte[] ToJson(string baseUrl, string? secret, DateTimeOffset now)
    {
        var spec = Spec;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, Id);
            writer.WriteString("path"u8, spec.Path);
            writer.WriteString("workflowId"u8, spec.WorkflowId);
            writer.WriteString("url"u8, $"{baseUrl}/api/hooks/{Token}/{spec.Path}");
            if (secret is not null)
                writer.WriteString("secret"u8, secret);
            writer.WriteString("scheme"u8, SignatureSchemes.NameOf(spec.Scheme));
            writer.WriteString("mode"u8, spec.IsSync ? "sync" : "async");
            if (spec.IsSync)
                writer.WriteNumber("timeoutMs"u8, (long)spec.Patience.TotalMilliseconds);
            writer.WriteNumber("maxBytes"u8, spec.MaxBytes);
            writer.WriteNumber("ratePerMinute"u8, spec.RatePerMinute);
            if (spec.Inputs.ValueKind == JsonValueKind.Object)
            {
                writer.WritePropertyName("inputs"u8);
                spec.Inputs.WriteTo(writer);
            }

            if (PreviousSecret is not null && PreviousUntil > now)
                WriteTime(writer, "previousSecretUntil", PreviousUntil);
            WriteTime(writer, "createdAt", CreatedAt);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, DateTimeOffset time) =>
        writer.WriteString(name, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
}

/// <summary>What a maker asks for: where, what, how it is signed and how it is answered.</summary>
internal sealed record InboundSpec
{
    /// <summary>Members in the order in which they are stored. The secret is not among them.</summary>
    public static readonly IReadOnlyList<string> Members = ["path", "workflowId", "scheme", "mode", "timeoutMs", "maxBytes", "ratePerMinute", "inputs"];

    public required string Path { get; init; }

    public required string WorkflowId { get; init; }

    public SignatureScheme Scheme { get; init; }

    /// <summary>Whether the sender waits for the end of the run.</summary>
    public bool IsSync { get; init; }

    /// <summary>For how long at most.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Most bytes of a delivery.</summary>
    public int MaxBytes { get; init; }

    /// <summary>Good deliveries per minute; also the most that may come at once.</summary>
    public int RatePerMinute { get; init; }

    /// <summary>Sources of inputs by name (<see cref="InputMapping"/>); undefined = the body is the input.</summary>
    public JsonElement Inputs { get; init; }
}
