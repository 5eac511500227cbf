using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Json;

/// <summary>JSON pointers (RFC 6901).</summary>
public static class JsonPointer
{
    /// <summary>Whether a text is a pointer at all: empty, or steps that begin with a slash each.</summary>
    public static bool IsPointer(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.Length == 0 || path[0] == '/';
    }

    /// <summary>What a pointer points at in a document; null = nothing is there.</summary>
    public static JsonElement? Find(JsonElement document, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        foreach (var escaped in path.Split('/').Skip(1))
        {
            var step = escaped.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (document.ValueKind == JsonValueKind.Object && document.TryGetProperty(step, out var member))
                document = member;
            else if (document.ValueKind == JsonValueKind.Array && IndexOf(step) is { } index && index < document.GetArrayLength())
                document = document[index];
            else
                return null;
        }

        return document.ValueKind == JsonValueKind.Undefined ? null : document;
    }

    private static int? IndexOf(string step) =>
        (step is "0" || (step.Length > 0 && step[0] != '0'))
        && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
