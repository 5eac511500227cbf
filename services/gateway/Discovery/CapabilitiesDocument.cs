using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>The discovery document as bytes (spec/http-core.md 8).</summary>
/// <param name="Json">UTF-8 JSON.</param>
/// <param name="ETag">Digest of the bytes, without quotes. The document changes only with its meaning, so it serves both entity tags.</param>
internal sealed record CapabilitiesDocument(ReadOnlyMemory<byte> Json, string ETag)
{
    /// <summary>The facts that the document is made of.</summary>
    /// <param name="Engine">What the engine can execute.</param>
    /// <param name="Seeded">Definitions that every tenant sees.</param>
    /// <param name="PublicUrl">Configured base URL, or null.</param>
    /// <param name="MaxRequestBodyBytes">Largest request body that is accepted.</param>
    /// <param name="ExportsTelemetry">Whether traces leave the installation over OTLP.</param>
    public sealed record Facts(
        ListNodeTypesReply Engine, IReadOnlyCollection<Definition> Seeded, string? PublicUrl, long MaxRequestBodyBytes, bool ExportsTelemetry);

    /// <summary>Only what works is advertised: absence means "not supported", and everything that is present gets used.</summary>
    public static CapabilitiesDocument Create(Facts facts)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("protocolVersion", "1.0");
            WriteImplementation(json);
            json.WriteNumber("engineVersion", 1);
            json.WriteNumber("eventLogSchemaVersion", 2);
            json.WriteStartArray("supportedEnvelopes");
            json.WriteEndArray();
            json.WriteStartObject("schemaVersions");
            json.WriteEndObject();
            WriteLimits(json, facts);
            WriteStrings(json, "supportedTransports", ["rest", "grpc"]);
            WriteGrpc(json, facts.PublicUrl);
            WriteStrings(json, "fixtures", ExecutableIds(facts));
            WriteStrings(json, "runtimeCapabilities", []);
            json.WriteStartObject("testing");
            json.WriteString("testKeyPrefix", "hk_test_");
            json.WriteEndObject();
            WriteShared(json, facts);

            // Readers of the first protocol revision look for some families below this member.
            json.WriteStartObject("capabilities");
            WriteShared(json, facts);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        var bytes = output.WrittenMemory;
        return new(bytes, System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(bytes.Span).AsSpan(0, 16)));
    }

    /// <summary>Seeded workflows whose node types are all registered. Others exist, but a run of them would be refused.</summary>
    internal static IEnumerable<string> ExecutableIds(Facts facts)
    {
        var registered = facts.Engine.NodeTypes.Select(type => type.TypeId).ToFrozenSet(StringComparer.Ordinal);
        return facts.Seeded
            .Where(definition => NodeTypesOf(definition.Json.Memory).All(registered.Contains))
            .Select(definition => definition.WorkflowId)
            .Order(StringComparer.Ordinal);
    }

    private static List<string> NodeTypesOf(ReadOnlyMemory<byte> definition)
    {
        using var document = JsonDocument.Parse(definition);
        return [.. document.RootElement.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("typeId").GetString()!)];
    }

    private static void WriteImplementation(Utf8JsonWriter json)
    {
        json.WriteStartObject("implementation");
        json.WriteString("name", "OpenWop.Micro");
        json.WriteString("version", typeof(CapabilitiesDocument).Assembly.GetName().Version!.ToString(3));
        json.WriteString("vendor", "OpenWop.Micro");
        json.WriteEndObject();
    }

    private static void WriteLimits(Utf8JsonWriter json, Facts facts)
    {
        json.WriteStartObject("limits");
        json.WriteNumber("clarificationRounds", 3);
        json.WriteNumber("schemaRounds", 2);
        json.WriteNumber("envelopesPerTurn", 5);
        if (facts.Engine.Limits is { MaxNodeExecutions: > 0 } limits)
            json.WriteNumber("maxNodeExecutions", limits.MaxNodeExecutions);
        json.WriteNumber("maxRequestBodyBytes", facts.MaxRequestBodyBytes);
        json.WriteEndObject();
    }

    private static void WriteGrpc(Utf8JsonWriter json, string? publicUrl)
    {
        var isSecure = publicUrl?.StartsWith("https://", StringComparison.Ordinal) ?? false;
        json.WriteStartObject("grpc");
        json.WriteBoolean("supported", true);
        json.WriteString("service", "openwop.v1.Engine");
        json.WriteString("tls", isSecure ? "required" : "disabled");
        if (publicUrl is not null)
            json.WriteString("endpoint", (isSecure ? "grpcs://" : "grpc://") + new Uri(publicUrl).Authority);
        json.WriteEndObject();
    }

    private static void WriteShared(Utf8JsonWriter json, Facts facts)
    {
        json.WriteStartObject("idempotency");
        json.WriteBoolean("supported", true);
        json.WriteNumber("layer1RetentionSeconds", 24 * 60 * 60);
        json.WriteString("crossRegion", "single-region");
        json.WriteEndObject();
        if (!facts.ExportsTelemetry)
            return;

        json.WriteStartObject("observability");
        json.WriteString("namespace", "openwop");
        json.WriteStartObject("otel");
        WriteStrings(json, "exportProtocols", ["http/protobuf"]);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
