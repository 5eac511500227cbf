using System.Security.Cryptography;
using System.Text;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Ids of workflows that are made here: opaque, and within what the schema of definitions allows.</summary>
internal static class WorkflowIds
{
    private const string Prefix = "wf-";
    private const int RandomBytes = 16;

    /// <param name="requestId">The same request makes the same id; null = a new one.</param>
    public static string Make(string tenant, string? requestId) => Prefix + Convert.ToHexStringLower(requestId is null
        ? Guid.CreateVersion7().ToByteArray(bigEndian: true)
        : SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}\n{requestId}")).AsSpan(0, RandomBytes));

    public static bool IsPossible(string id) => CodePoints.Count(id) is > 0 and <= RunOptionLimits.MaxIdLength && !id.Contains('\0', StringComparison.Ordinal);
}
