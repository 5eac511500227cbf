using System.Buffers;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>The part of a webhook's URL that its maker has chosen: it is for people, the token before it is what nobody can guess.</summary>
internal static class WebhookPath
{
    public const int MaxLength = 200;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./");

    /// <summary>1 to 200 characters of <c>A-Z a-z 0-9 - _ . /</c> without a segment that is empty, <c>.</c> or <c>..</c>.</summary>
    public static bool IsValid(string path)
    {
        if (path.Length is 0 or > MaxLength || path.AsSpan().ContainsAnyExcept(Characters))
            return false;

        foreach (var segment in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(segment) is "" or "." or "..")
                return false;
        }

        return true;
    }
}
