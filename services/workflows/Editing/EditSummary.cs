using System.Globalization;
using System.Text;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>What became of operations, in words for a language model that goes on from there.</summary>
internal static class EditSummary
{
    private const int MaxLines = 50;
    private const int MaxIdLength = 100;
    private const int MaxReasonLength = 600;

    public static string Of(AppliedOps applied, IReadOnlyList<BlockError> errors)
    {
        var (total, skipped) = (applied.Submitted, applied.Skipped);
        if (skipped.Count == 0 && errors.Count == 0)
            return string.Create(CultureInfo.InvariantCulture, $"Applied all {total} operation(s) successfully.");

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Applied {total - skipped.Count} of {total} operation(s).");
        if (skipped.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{skipped.Count} skipped ({Codes(skipped.Select(skip => skip.Code))}):");
            foreach (var skip in skipped.Take(MaxLines))
                text.Append(CultureInfo.InvariantCulture, $"\n- [{skip.Code}] {Short(skip.OperationType)} {Short(skip.BlockId)}: {Short(skip.Reason, MaxReasonLength)}");
            AppendRest(text, skipped.Count);
        }

        if (errors.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{errors.Count} validation error(s) ({Codes(errors.Select(error => error.Code))}):");
            foreach (var error in errors.Take(MaxLines))
                text.Append(CultureInfo.InvariantCulture, $"\n- [{error.Code}] {Short(error.BlockId)}: {Short(error.Message, MaxReasonLength)}");
            AppendRest(text, errors.Count);
        }

        return text.ToString();
    }

    private static string Codes(IEnumerable<string> codes) => string.Join(
        ", ", codes.GroupBy(code => code, StringComparer.Ordinal).Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}")));

    private static void AppendRest(StringBuilder text, int count)
    {
        if (count > MaxLines)
            text.Append(CultureInfo.InvariantCulture, $"\n- and {count - MaxLines} more");
    }

    /// <summary>A text cut to a length, never within a character.</summary>
    public static string Short(string text, int length = MaxIdLength) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "…";
}
