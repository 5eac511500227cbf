using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace OpenWop.Micro.Protocol.Capabilities;

/// <summary>
/// What a server advertises about itself (spec/http-core.md 8.1). Null and empty mean "not supported" and leave no trace in the
/// document; what is set must work.
/// </summary>
public sealed record CapabilitySet
{
    /// <summary>Two components, no patch: the highest minor that is implemented.</summary>
    public string ProtocolVersion { get; init; } = "1.0";

    public required ImplementationName Implementation { get; init; }
    public required CapabilityLimits Limits { get; init; }

    /// <summary>Version of the engine, counted up with every change that older engines cannot read.</summary>
    public int EngineVersion { get; init; } = 1;

    /// <summary>Version of the event log: 2 in protocol version 1.</summary>
    public int EventLogSchemaVersion { get; init; } = 2;

    public string? MinClientVersion { get; init; }

    public ImmutableArray<string> SupportedEnvelopes { get; init; } = [];

    /// <summary>Schema version of each envelope type.</summary>
    public ImmutableSortedDictionary<string, int> SchemaVersions { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Subset of rest, mcp, a2a, grpc.</summary>
    public ImmutableArray<string> Transports { get; init; } = ["rest"];

    /// <summary>Seeded workflows that can really run: each opens tests of the conformance suite.</summary>
    public IReadOnlyCollection<string> Fixtures { get; init; } = [];

    /// <summary>Ids for <c>requires</c> of node types; an empty list is advertised as one.</summary>
    public IReadOnlyCollection<string> RuntimeCapabilities { get; init; } = [];

    public TestingSupport? Testing { get; init; }

    /// <summary>How a pause may take effect; empty = runs cannot be paused.</summary>
    public ImmutableArray<string> DrainPolicies { get; init; } = [];

    /// <summary>Modes of <c>:fork</c>; empty = runs cannot be forked.</summary>
    public ImmutableArray<string> ReplayModes { get; init; } = [];

    /// <summary>
    /// All other families by name, as they stand in the document. They change too much from family to family to be worth a type
    /// each; <see cref="CapabilitiesDocument.Create"/> holds the result against the published schema.
    /// </summary>
    public ImmutableSortedDictionary<string, JsonNode> Families { get; init; } = ImmutableSortedDictionary<string, JsonNode>.Empty;
}

/// <summary>Who answers.</summary>
public sealed record ImplementationName(string Name, string Version, string? Vendor = null);

/// <summary>Limits that the engine enforces; absent ones are not advertised.</summary>
public sealed record CapabilityLimits
{
    public int ClarificationRounds { get; init; } = 3;
    public int SchemaRounds { get; init; } = 2;
    public int EnvelopesPerTurn { get; init; } = 5;

    /// <summary>Ceiling of <c>recursionLimit</c>.</summary>
    public required int MaxNodeExecutions { get; init; }

    /// <summary>Ceiling of <c>runTimeoutMs</c> in milliseconds, at least 1,000.</summary>
    public long? MaxRunDurationMs { get; init; }
    public int? MaxLoopIterations { get; init; }
    public long? MaxRequestBodyBytes { get; init; }
}

/// <summary>What test keys may do.</summary>
public sealed record TestingSupport
{
    /// <summary>Prefix of test keys, 1 to 32 characters.</summary>
    public required string TestKeyPrefix { get; init; }
    public ImmutableArray<string> MockProviders { get; init; } = [];

    /// <summary>Versions that <c>X-Force-Engine-Version</c> may name; null = the header is not honoured.</summary>
    public (int Min, int Max)? ForceEngineVersions { get; init; }
}
