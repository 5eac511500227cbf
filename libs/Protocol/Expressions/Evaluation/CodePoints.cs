namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>Strings are sequences of code points: lengths and offsets count them, and their order is that of code points.</summary>
internal static class CodePoints
{
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        foreach (var character in text)
        {
            if (char.IsLowSurrogate(character))
            {
                count--;
            }
        }

        return count;
    }

    /// <summary>Where in the text the code point at an offset starts; -1 when the text is shorter. The end of the text has an offset too.</summary>
    public static int IndexOf(ReadOnlySpan<char> text, long offset)
    {
        var index = 0;
        while (offset > 0 && index < text.Length)
        {
            index += char.IsHighSurrogate(text[index]) && index + 1 < text.Length ? 2 : 1;
            offset--;
        }

        return offset == 0 ? index : -1;
    }

    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        return Rank(left[common]).CompareTo(Rank(right[common]));
    }

    /// <summary>UTF-16 puts surrogates before U+E000..U+FFFF although they stand for greater code points.</summary>
    private static int Rank(char character) => char.IsSurrogate(character) ? character + 0x10000 : character;
}
