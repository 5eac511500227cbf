using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Webhooks.Inbound.Signatures;
using static OpenWop.Micro.Webhooks.Bodies.BodyMembers;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Reads what callers say about inbound webhooks.</summary>
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

    private static string Path(JsonElement body)
    {
        var path = Text(body, "path", WebhookPath.MaxLength) ?? throw Missing("path");
        return WebhookPath.IsValid(path)
            ? path
            : throw Wrong(
                "'path' must have segments of A-Z, a-z, 0-9, '-', '_' and '.' with slashes between them, none of which is '.' or '..'.", "path");
    }

    private static JsonElement Inputs(JsonElement body)
    {
        if (Find(body, "inputs") is not { } inputs)
            return default;

        if (inputs.ValueKind != JsonValueKind.Object || inputs.EnumerateObject().Count() > InputMapping.MaxEntries)
            throw Wrong($"'inputs' must be an object of at most {InputMapping.MaxEntries} members.", "inputs");

        foreach (var entry in inputs.EnumerateObject())
        {
            if (entry.Name.Length is 0 or > InputMapping.MaxNameLength || entry.Value.ValueKind != JsonValueKind.String || !InputMapping.IsSource(entry.Value.GetString()!))
            {
                throw Wrong(
                    "'inputs' must name for each input where it comes from: body, body:/pointer, header:name, query:name or receivedAt.", "inputs");
            }
        }

        return inputs;
    }
}
