using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Sizes in requests about runs (spec/http-core.md 3 and 10.1). Characters are Unicode code points.</summary>
public static class RunOptionLimits
{
    /// <summary>Bodies of all requests about runs: 4 MiB, 64 levels.</summary>
    public static readonly JsonLimits Body = new(4 << 20, 64);

    /// <summary>Length of run and workflow ids in characters.</summary>
    public const int MaxIdLength = 128;

    /// <summary>Length of <c>tenantId</c> and <c>scopeId</c> in characters.</summary>
    public const int MaxScopeLength = 512;

    public const int MaxCallbackUrlLength = 2_048;

    public const int MaxTags = 100;

    /// <summary>Length of a tag in characters; the shortest has one.</summary>
    public const int MaxTagLength = 256;

    /// <summary>Size of <c>metadata</c> in bytes as it was sent: 50 KB.</summary>
    public const int MaxMetadataBytes = 50 * 1024;

    /// <summary>Objects and arrays inside one another in <c>metadata</c>; the protocol asks for at least 4.</summary>
    public const int MaxMetadataDepth = 16;

    /// <summary>Size of <c>configurable</c> in bytes as it was sent.</summary>
    public const int MaxConfigurableBytes = 256 * 1024;

    /// <summary>Length of a reason for cancelling, pausing or resuming, in characters.</summary>
    public const int MaxReasonLength = 512;

    /// <summary>Runs in one bulk cancellation.</summary>
    public const int MaxBulkRunIds = 100;

    /// <summary>Length of <c>mockProvider.id</c> in characters.</summary>
    public const int MaxMockProviderIdLength = 128;
}
