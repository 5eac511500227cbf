using System.Buffers;
using System.Collections.Frozen;

namespace OpenWop.Micro.Runs.Nodes.Http;

/// <summary>
/// Which headers a workflow may send. Names are tokens, values are visible ASCII with blanks: nothing in them can end a
/// header and begin another one. Headers that say where a message ends or who it is for belong to the client.
/// </summary>
internal static class HttpHeaderRules
{
    /// <summary>Most headers of a request.</summary>
    public const int MaxCount = 64;

    /// <summary>Most characters of all names and values together.</summary>
    public const int MaxCharacters = 16 * 1024;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly FrozenSet<string> Refused = FrozenSet.ToFrozenSet(
        [
            "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
            "http2-settings", "accept-encoding", "via", "forwarded",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Why a header is refused, or null.</summary>
    public static string? Check(string name, string value) =>
        name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenCharacters) ? "has a header whose name is no token"
        : Refused.Contains(name) || name.StartsWith("proxy-", StringComparison.OrdinalIgnoreCase) ? $"must not have the header '{name}'"
        : !IsValue(value) ? $"has the header '{name}' with characters other than visible ASCII and blanks"
        : null;

    private static bool IsValue(string value) => !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && value == value.Trim();
}
