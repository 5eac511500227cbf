using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Capabilities;

/// <summary>The discovery document, written once and served as bytes (spec/http-core.md 8 and 9).</summary>
/// <param name="Json">UTF-8 JSON.</param>
/// <param name="ETag">Entity tag of the bytes, without quotes.</param>
/// <param name="CapabilitiesETag">Value of <c>Capabilities-Etag</c>: the same for documents that mean the same.</param>
public sealed record CapabilitiesDocument(ReadOnlyMemory<byte> Json, string ETag, string CapabilitiesETag)
{
    /// <summary>Families that readers of the first revision look for below <c>capabilities</c> (spec/conformance.md 2.2).</summary>
    private static readonly string[] Mirrored = ["auth", "idempotency", "nodePackRuntimes", "observability", "webhooks"];

    /// <summary>Writes the document.</summary>
    /// <exception cref="ArgumentException">It would not fit the published schema: one wrong member makes clients reject all of it.</exception>
    public static CapabilitiesDocument Create(CapabilitySet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        var output = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(output))
        {
            Write(writer, set);
        }

        var document = JsonElement.Parse(output.WrittenSpan);
        var errors = SchemaRegistry.Published("capabilities").Validate(document);
        if (errors.Count > 0)
            throw new ArgumentException($"The discovery document is not valid: {errors[0].Path} {errors[0].Message}", nameof(set));

        return new(output.WrittenMemory, Tag(SHA256.HashData(output.WrittenSpan)), Tag(CanonicalJson.Digest(document)));
    }

    private static string Tag(byte[] digest) => Base64Url.EncodeToString(digest.AsSpan(0, 16));

    private static void Write(Utf8JsonWriter json, CapabilitySet set)
    {
        json.WriteStartObject();
        json.WriteString("protocolVersion"u8, set.ProtocolVersion);
        WriteImplementation(json, set.Implementation);
        json.WriteNumber("engineVersion"u8, set.EngineVersion);
        json.WriteNumber("eventLogSchemaVersion"u8, set.EventLogSchemaVersion);
        if (set.MinClientVersion is { } client)
            json.WriteString("minClientVersion"u8, client);

        WriteStrings(json, "supportedEnvelopes", set.SupportedEnvelopes);
        json.WriteStartObject("schemaVersions"u8);
        foreach (var (envelope, version) in set.SchemaVersions)
        {
            json.WriteNumber(envelope, version);
        }

        json.WriteEndObject();
        WriteLimits(json, set.Limits);
        WriteStrings(json, "supportedTransports", set.Transports);
        WriteStrings(json, "fixtures", set.Fixtures.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        WriteStrings(json, "runtimeCapabilities", set.RuntimeCapabilities.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        WriteTesting(json, set.Testing);
        WriteModes(json, set);
        foreach (var (family, value) in set.Families)
        {
            json.WritePropertyName(family);
            value.WriteTo(json);
        }

        WriteMirror(json, set);
        json.WriteEndObject();
    }

    private static void WriteImplementation(Utf8JsonWriter json, ImplementationName implementation)
    {
        json.WriteStartObject("implementation"u8);
        json.WriteString("name"u8, implementation.Name);
        json.WriteString("version"u8, implementation.Version);
        if (implementation.Vendor is { } vendor)
            json.WriteString("vendor"u8, vendor);

        json.WriteEndObject();
    }

    private static void WriteLimits(Utf8JsonWriter json, CapabilityLimits limits)
    {
        json.WriteStartObject("limits"u8);
        json.WriteNumber("clarificationRounds"u8, limits.ClarificationRounds);
        json.WriteNumber("schemaRounds"u8, limits.SchemaRounds);
        json.WriteNumber("envelopesPerTurn"u8, limits.EnvelopesPerTurn);
        json.WriteNumber("maxNodeExecutions"u8, limits.MaxNodeExecutions);
        if (limits.MaxRunDurationMs is { } duration)
            json.WriteNumber("maxRunDurationMs"u8, duration);
        if (limits.MaxLoopIterations is { } iterations)
            json.WriteNumber("maxLoopIterations"u8, iterations);
        if (limits.MaxRequestBodyBytes is { } bytes)
            json.WriteNumber("maxRequestBodyBytes"u8, bytes);

        json.WriteEndObject();
    }

    private static void WriteTesting(Utf8JsonWriter json, TestingSupport? testing)
    {
        if (testing is null)
            return;

        json.WriteStartObject("testing"u8);
        json.WriteString("testKeyPrefix"u8, testing.TestKeyPrefix);
        if (testing.MockProviders.Length > 0)
            WriteStrings(json, "mockProviders", testing.MockProviders);

        if (testing.ForceEngineVersions is var (min, max))
        {
            json.WriteStartObject("forceEngineVersionRange"u8);
            json.WriteNumber("min"u8, min);
            json.WriteNumber("max"u8, max);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Pausing and forking.</summary>
    private static void WriteModes(Utf8JsonWriter json, CapabilitySet set)
    {
        if (set.DrainPolicies.Length > 0)
        {
            json.WriteStartObject("runs"u8);
            json.WriteStartObject("pauseResume"u8);
            json.WriteBoolean("supported"u8, true);
            WriteStrings(json, "drainPolicies", set.DrainPolicies);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (set.ReplayModes.Length > 0)
        {
            json.WriteStartObject("replay"u8);
            json.WriteBoolean("supported"u8, true);
            WriteStrings(json, "modes", set.ReplayModes);
            json.WriteEndObject();
        }
    }

    private static void WriteMirror(Utf8JsonWriter json, CapabilitySet set)
    {
        var families = set.Families.Where(family => Mirrored.Contains(family.Key)).ToArray();
        if (families.Length == 0)
            return;

        json.WriteStartObject("capabilities"u8);
        foreach (var (family, value) in families)
        {
            json.WritePropertyName(family);
            value.WriteTo(json);
        }

        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
