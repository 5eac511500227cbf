using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Runs.Activities;

/// <summary>
/// Names an outside effect so that its repetitions can be told from new effects, here and at the provider
/// (spec/http-core.md 6.2).
/// </summary>
internal static class ActivityIdentity
{
    private const string Version = "openwop:activity:v2";

    /// <summary>Effects of one execution of a node; the ordinals of the next execution in a loop start behind them.</summary>
    private const long OrdinalsPerExecution = 1 << 20;

    /// <summary>
    /// base64url without padding of the SHA-256 of version, tenant, run, node, ordinal and provider key, separated by NUL.
    /// The attempt takes no part: a retry is the same effect.
    /// </summary>
    public static string Of(string tenant, string runId, string nodeId, long ordinal, string providerKey)
    {
        string[] parts = [Version, tenant, runId, nodeId, ordinal.ToString(CultureInfo.InvariantCulture), providerKey];
        if (parts.Any(part => part.Contains('\0', StringComparison.Ordinal)))
        {
            throw new ArgumentException("A part of an identity must not contain NUL, which separates them.");
        }

        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))));
    }

    /// <summary>The ordinal of a call in an execution of a node, both counted from 0.</summary>
    public static long Ordinal(int iteration, int call)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(call, OrdinalsPerExecution);
        return (iteration * OrdinalsPerExecution) + call;
    }
}
