using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>Entity tags in request headers (RFC 9110 13.1). Inside the server tags have no quotes.</summary>
internal static class EntityTag
{
    /// <summary>Whether <c>If-None-Match</c> names a tag, weakly compared: the client has the document already.</summary>
    public static bool Matches(string? header, string etag)
    {
        if (header is null || etag.Length == 0)
            return false;

        foreach (var range in header.AsSpan().Split(','))
        {
            var entry = header.AsSpan(range).Trim();
            if (entry is "*")
                return true;

            if (entry.StartsWith("W/"))
                entry = entry[2..];
            if (Unquote(entry).SequenceEqual(etag))
                return true;
        }

        return false;
    }

    /// <summary>The one tag that a write expects: <c>*</c>, a tag, or empty when the header is absent.</summary>
    /// <exception cref="ProtocolException">400: several tags, or a weak one, which never matches.</exception>
    public static string ReadExpectation(string? header, string name)
    {
        var value = header.AsSpan().Trim();
        if (value.IsEmpty || value is "*")
            return value.ToString();

        var tag = Unquote(value);
        return tag.Length != value.Length && tag.Length is > 0 and <= 128 && !tag.ContainsAny('"', ',')
            ? tag.ToString()
            : throw new ProtocolException(ProtocolError.Validation($"{name} must be '*' or one strong entity tag in quotes.", name));
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> tag) => tag is ['"', .. var inner, '"'] ? inner : tag;
}
