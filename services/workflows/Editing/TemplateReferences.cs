using System.Text.Json;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>The references <c>{{…}}</c> inside of values, found in one pass over the text.</summary>
internal static class TemplateReferences
{
    /// <summary>All references inside a value, trimmed, in document order. Keys of objects hold none.</summary>
    public static IEnumerable<string> In(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => In(value.GetString()!),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(In),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => In(member.Value)),
        _ => [],
    };

    /// <summary>All references inside a text. No character is looked at more than twice.</summary>
    public static IEnumerable<string> In(string text)
    {
        var start = text.IndexOf("{{", StringComparison.Ordinal);
        while (start >= 0)
        {
            var end = text.AsSpan(start + 2).IndexOfAny('{', '}');
            if (end < 0)
                yield break;

            end += start + 2;
            var next = end == start + 2 ? start + 1 : end;
            if (text[end] == '}' && end + 1 < text.Length && text[end + 1] == '}')
            {
                var reference = text[(start + 2)..end].Trim();
                if (reference.Length > 0)
                    yield return reference;

                next = end + 2;
            }

            start = text.IndexOf("{{", next, StringComparison.Ordinal);
        }
    }
}
