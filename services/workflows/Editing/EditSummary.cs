using System.Collections.Immutable;
using System.Globalization;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>The outcome of a patch in words, for the author that reads text better than structure.</summary>
internal static class EditSummary
{
    public static string Of(int submitted, ImmutableArray<SkippedItem> skips, ImmutableArray<BlockError> errors)
    {
        var applied = submitted - skips.Length;
        if (skips.IsEmpty && errors.IsEmpty)
            return string.Create(CultureInfo.InvariantCulture, $"Applied all {submitted} operation(s) successfully.");

        List<string> lines = [string.Create(CultureInfo.InvariantCulture, $"Applied {applied} of {submitted} operation(s).")];
        if (!skips.IsEmpty)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{skips.Length} operation(s) skipped:"));
            lines.AddRange(skips.Select(skip => $"- [{skip.ReasonCode}] {skip.OperationType} {skip.BlockId}: {skip.Reason}"));
        }

        if (!errors.IsEmpty)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{errors.Length} validation error(s):"));
            lines.AddRange(errors.Select(error => $"- {error.BlockId} {error.Field}: {error.Error}{(error.Value is null ? "" : $" [{error.Value}]")}"));
        }

        return string.Join('\n', lines);
    }
}
