using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Functions for strings. Comparisons are ordinal; offsets count code points.</summary>
internal static class TextFunctions
{
    public static Value Contains(Call call) =>
        !call.TryTexts(out var text, out var part, out var failure) ? failure
        : !SpendSearch(call, text, part) ? call.Exhausted
        : Value.Bool(text.Contains(part, StringComparison.Ordinal));

    public static Value StartsWith(Call call) => call.TryTexts(out var text, out var part, out var failure)
        ? Value.Bool(text.StartsWith(part, StringComparison.Ordinal))
        : failure;

    public static Value EndsWith(Call call) => call.TryTexts(out var text, out var part, out var failure)
        ? Value.Bool(text.EndsWith(part, StringComparison.Ordinal))
        : failure;

    /// <summary>-1 when the part does not occur.</summary>
    public static Value IndexOf(Call call)
    {
        if (!call.TryTexts(out var text, out var part, out var failure))
        {
            return failure;
        }

        if (!SpendSearch(call, text, part))
        {
            return call.Exhausted;
        }

        var index = text.IndexOf(part, StringComparison.Ordinal);
        return Value.Int(index < 0 ? -1 : CodePoints.Count(text.AsSpan(0, index)));
    }

    public static Value Lower(Call call) => call.TryText(0, out var text, out var failure) ? Value.Text(text.ToLowerInvariant()) : failure;

    public static Value Upper(Call call) => call.TryText(0, out var text, out var failure) ? Value.Text(text.ToUpperInvariant()) : failure;

    public static Value Trim(Call call) => call.TryText(0, out var text, out var failure) ? Value.Text(text.Trim()) : failure;

    /// <summary>All occurrences.</summary>
    public static Value Replace(Call call)
    {
        if (!call.TryTexts(out var text, out var part, out var failure) || !call.TryText(2, out var by, out failure))
        {
            return failure;
        }

        if (part.Length == 0)
        {
            return call.Fail(ExpressionErrorKind.Value, "cannot replace an empty string");
        }

        if (!SpendSearch(call, text, part))
        {
            return call.Exhausted;
        }

        long occurrences = text.AsSpan().Count(part);
        return call.Budget.SpendText(text.Length + (occurrences * Math.Max(0, by.Length - part.Length)))
            ? Value.Text(text.Replace(part, by, StringComparison.Ordinal))
            : call.Exhausted;
    }

    /// <summary>From start to before end, or to the end of the text.</summary>
    public static Value Substring(Call call)
    {
        if (!call.TryText(0, out var text, out var failure) || !call.TryInteger(1, out var start, out failure))
        {
            return failure;
        }

        var end = long.MaxValue;
        if (call.Count == 3 && !call.TryInteger(2, out end, out failure))
        {
            return failure;
        }

        var from = start < 0 ? -1 : CodePoints.IndexOf(text, start);
        var to = call.Count == 2 ? text.Length : end < 0 ? -1 : CodePoints.IndexOf(text, end);
        return from < 0 || to < from
            ? call.Fail(ExpressionErrorKind.Value, "goes beyond the string")
            : Value.Text(text[from..to]);
    }

    /// <summary>An empty separator gives the code points.</summary>
    public static Value Split(Call call)
    {
        if (!call.TryTexts(out var text, out var separator, out var failure))
        {
            return failure;
        }

        if (!SpendSearch(call, text, separator))
        {
            return call.Exhausted;
        }

        var parts = separator.Length == 0 ? text.Length : text.AsSpan().Count(separator) + 1;
        if (!call.Budget.Spend(parts))
        {
            return call.Exhausted;
        }

        return Value.List(separator.Length == 0
            ? [.. text.EnumerateRunes().Select(rune => Value.Text(rune.ToString()))]
            : [.. text.Split(separator).Select(Value.Text)]);
    }

    public static Value Join(Call call)
    {
        var separator = "";
        if (!call.TryTextItems(0, out var texts, out var failure) || (call.Count == 2 && !call.TryText(1, out separator, out failure)))
        {
            return failure;
        }

        var length = texts.Sum(text => (long)text.Length) + ((long)separator.Length * texts.Length);
        return call.Budget.SpendText(length) ? Value.Text(string.Join(separator, texts)) : call.Exhausted;
    }

    /// <summary>Searching a repetitive part in a repetitive text can cost the product of both lengths.</summary>
    private static bool SpendSearch(Call call, string text, string part) => call.Budget.SpendText(text.Length * (1L + (part.Length / 32)));
}
