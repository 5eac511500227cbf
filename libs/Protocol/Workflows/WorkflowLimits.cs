using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>How large a workflow definition may be.</summary>
public static class WorkflowLimits
{
    public const int MaxNodes = 2_000;
    public const int MaxEdges = 10_000;

    /// <summary>Triggers, variables, channels and groups, each.</summary>
    public const int MaxDeclarations = 1_000;

    /// <summary>Longest name of a channel, in characters: what <c>channel.written</c> can carry.</summary>
    public const int MaxChannelName = 256;

    /// <summary>Errors reported for one definition.</summary>
    public const int MaxErrors = 100;

    /// <summary>4 MiB, 64 levels.</summary>
    public static readonly JsonLimits Document = new(4 << 20, 64);
}
