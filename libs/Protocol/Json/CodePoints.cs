namespace OpenWop.Micro.Protocol.Json;

/// <summary>Length of texts as the protocol counts it: in Unicode code points, neither bytes nor UTF-16 units.</summary>
public static class CodePoints
{
    public static int Count(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                count--;
        }

        return count;
    }
}
