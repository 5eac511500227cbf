using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Inflight;
using OpenWop.Micro.Gateway.Webhooks;
using OpenWop.Micro.Protocol.Capabilities;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>The facts that the discovery document is made of.</summary>
/// <param name="Engine">What the engine can execute.</param>
/// <param name="Seeded">Definitions that every tenant sees.</param>
/// <param name="Audit">The key of the audit log's checkpoints.</param>
/// <param name="SeededSecrets">Ids of secrets that tests of the protocol may resolve.</param>
/// <param name="PublicUrl">Configured base URL, or null.</param>
/// <param name="MaxRequestBodyBytes">Largest request body that is accepted.</param>
/// <param name="ExportsTelemetry">Whether traces leave the installation over OTLP.</param>
/// <param name="Inflight">How much a gateway takes on at a time.</param>
/// <param name="HasWebhooks">Whether the installation has the service that delivers.</param>
internal sealed record ServerFacts(
    ListNodeTypesReply Engine, IReadOnlyCollection<Definition> Seeded, CheckpointKeyReply Audit, IReadOnlyCollection<string> SeededSecrets, string? PublicUrl, long MaxRequestBodyBytes, bool ExportsTelemetry, InflightOptions Inflight, bool HasWebhooks);

/// <summary>
/// What this server advertises (spec/http-core.md 8). Only what works: absence means "not supported", and everything that is
/// present gets used.
/// </summary>
internal static class ServerCapabilities
{
    private const string Clarification = "clarification.request";
    private const string McpToolCall = "core.mcp.toolCall";
    private const int IdempotencyRetentionSeconds = 24 * 60 * 60;

    /// <summary>What answers.</summary>
    public static ImplementationName Implementation { get; } = new("OpenWop.Micro", typeof(ServerCapabilities).Assembly.GetName().Version!.ToString(3), "OpenWop.Micro");

    public static CapabilitySet Of(ServerFacts facts) => Of(facts, Families(facts));

    private static CapabilitySet Of(ServerFacts facts, Dictionary<string, JsonNode> families) => new()
    {
        ProtocolVersion = "1.1",
        Implementation = Implementation,
        Limits = new CapabilityLimits
        {
            MaxNodeExecutions = facts.Engine.Limits.MaxNodeExecutions,
            MaxRunDurationMs = facts.Engine.Limits.MaxRunDurationMs is > 0 and var duration ? duration : null,
            MaxRequestBodyBytes = facts.MaxRequestBodyBytes,
        },
        SupportedEnvelopes = Clarifies(facts) ? [Clarification] : [],
        SchemaVersions = Clarifies(facts) ? ImmutableSortedDictionary<string, int>.Empty.Add(Clarification, 1) : ImmutableSortedDictionary<string, int>.Empty,
        Transports = ["rest", "grpc", "mcp"],
        Fixtures = [.. ExecutableIds(facts, families)],
        DrainPolicies = ["immediate", "drain-current-node"],
        EngineVersion = facts.Engine.Limits.EngineVersion,
        Testing = new TestingSupport
        {
            TestKeyPrefix = ApiKeyText.TestPrefix,
            MockProviders = [.. facts.Engine.MockProviders],
            ForceEngineVersions = (facts.Engine.Limits.OldestEngineVersion, facts.Engine.Limits.EngineVersion),
        },
        Families = families.ToImmutableSortedDictionary(StringComparer.Ordinal),
    };

    /// <summary>Whether runs can ask for a clarification.</summary>
    private static bool Clarifies(ServerFacts facts) => Executes(facts, "core.clarificationGate");

    private static bool Executes(ServerFacts facts, string typeId) => facts.Engine.NodeTypes.Any(type => type.TypeId == typeId);

    /// <summary>Profiles of interrupts, by the node types that can ask in their way (spec/interrupts-state-storage.md 4).</summary>
    private static JsonArray InterruptProfiles(ServerFacts facts)
    {
        var profiles = new JsonArray();
        if (Executes(facts, "core.approvalGate"))
        {
            profiles.Add("openwop-interrupt-quorum");
            profiles.Add("openwop-interrupt-auth-required");
        }

        if (Executes(facts, "core.interrupt"))
            profiles.Add("openwop-interrupt-external-event");

        if (Executes(facts, "core.subWorkflow"))
            profiles.Add("openwop-interrupt-cascade-cancel");

        return profiles;
    }

    /// <summary>Seeded workflows that can do what they are for. Others exist, but a run of them would be refused, or come to nothing.</summary>
    private static IEnumerable<string> ExecutableIds(ServerFacts facts, Dictionary<string, JsonNode> families)
    {
        var registered = facts.Engine.NodeTypes.Select(type => type.TypeId).ToFrozenSet(StringComparer.Ordinal);
        foreach (var seeded in facts.Seeded)
        {
            var definition = JsonElement.Parse(seeded.Json.Span);
            if (SeededWorkflows.IsExecutable(definition, registered, families) && !AiCapabilities.LacksSomething(definition, facts))
                yield return seeded.WorkflowId;
        }
    }

    private static Dictionary<string, JsonNode> Families(ServerFacts facts)
    {
        var families = new Dictionary<string, JsonNode>
        {
            ["auth"] = new JsonObject
            {
                ["profiles"] = new JsonArray("openwop-audit-log-integrity", "openwop-auth-api-key-rotation"),

                // A day unless whoever rotates asks for less, which is his to decide.
                ["rotation"] = new JsonObject { ["supported"] = true, ["minGraceSeconds"] = 0 },
                ["auditLogIntegrity"] = new JsonObject
                {
                    ["hashChain"] = true,
                    ["checkpointSignatureAlgorithm"] = "ed25519",
                    ["checkpointPublicKey"] = facts.Audit.PublicKey,
                    ["checkpointIntervalEntries"] = facts.Audit.IntervalEntries,
                    ["checkpointIntervalSeconds"] = facts.Audit.IntervalSeconds,
                },
            },
            ["debugBundle"] = new JsonObject { ["supported"] = true, ["truncationMetadata"] = true },
            ["grpc"] = Grpc(facts.PublicUrl),
            ["idempotency"] = new JsonObject
            {
                ["supported"] = true,
                ["layer1RetentionSeconds"] = IdempotencyRetentionSeconds,
                ["crossRegion"] = "single-region",
            },
            ["mcp"] = new JsonObject
            {
                // The client's half is there when the operator has named servers; which ones is nobody's business, and the schema has no place for it.
                ["supported"] = Executes(facts, McpToolCall),
                ["serverMount"] = new JsonObject
                {
                    ["supported"] = true,
                    ["transports"] = new JsonArray("streamable-http"),
                    ["samplingBridge"] = false,
                    ["elicitationBridge"] = false,
                },
            },
            ["multiAgent"] = new JsonObject
            {
                // The endpoint is there; the phases that lead up to it are not claimed.
                ["executionModel"] = new JsonObject
                {
                    ["supported"] = false,
                    ["version"] = 1,
                    ["crossHostCausation"] = new JsonObject
                    {
                        ["supported"] = true,
                        ["hostId"] = HostIdentity.Of(facts.PublicUrl),
                        ["ancestryEndpointSupported"] = true,
                    },
                },
            },
            ["replay"] = new JsonObject { ["supported"] = true, ["modes"] = new JsonArray("replay", "branch") },
        };
        if (facts.HasWebhooks)
            families["webhooks"] = new JsonObject { ["supported"] = true, ["signatureAlgorithms"] = new JsonArray(WebhookOperations.SignatureAlgorithm), ["durable"] = true };

        if (InterruptProfiles(facts) is { Count: > 0 } profiles)
        {
            families["extensions"] = new JsonObject
            {
                ["interrupts"] = new JsonObject { ["profiles"] = profiles, ["signedCallbackTokens"] = true },
            };
        }

        AiCapabilities.Add(families, facts);
        AgentCapabilities.Add(families, typeId => Executes(facts, typeId), facts.Engine.Limits.MaxMemoryEntryBytes);
        if (Production(facts.Inflight) is { } production)
            families["production"] = production;

        if (facts.ExportsTelemetry)
        {
            families["observability"] = new JsonObject
            {
                ["namespace"] = "openwop",
                ["otel"] = new JsonObject { ["exportProtocols"] = new JsonArray("http/protobuf", "http/json") },
            };
        }

        return families;
    }

    /// <summary>The production profile, when it is claimed; its limits also without, when there are some.</summary>
    private static JsonObject? Production(InflightOptions inflight) => inflight.Cap is not { } cap ? null : new JsonObject
    {
        ["supported"] = inflight.ClaimsProduction,
        ["backpressure"] = new JsonObject { ["supported"] = true, ["inflightCap"] = cap, ["retryAfterSeconds"] = inflight.RetryAfterSeconds },

        // Runs are kept until somebody removes them.
        ["retention"] = new JsonObject { ["supported"] = true, ["minWindowSeconds"] = 7 * 24 * 60 * 60, ["testForceExpire"] = false },
        ["debugBundle"] = new JsonObject { ["supported"] = true, ["truncationMetadata"] = true },
    };

    private static JsonObject Grpc(string? publicUrl)
    {
        var isSecure = publicUrl?.StartsWith("https://", StringComparison.Ordinal) ?? false;
        var family = new JsonObject { ["supported"] = true, ["service"] = "openwop.v1.Engine", ["tls"] = isSecure ? "required" : "disabled" };
        if (publicUrl is not null)
            family["endpoint"] = (isSecure ? "grpcs://" : "grpc://") + new Uri(publicUrl).Authority;
        return family;
    }
}
