using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Secrets;

/// <summary>
/// Knows the secrets of one run, in memory only, and takes them out of whatever leaves an attempt: <c>[REDACTED:&lt;secretId&gt;]</c>
/// (spec/agents.md 10). Besides the value as it is it finds the forms that it takes on the way: escaped for URLs and for JSON, in base64,
/// and the lines of a value that has several.
/// </summary>
internal sealed class Redactor
{
    /// <summary>For runs without secrets.</summary>
    public static readonly Redactor None = new();

    /// <summary>Shorter lines of a longer value say nothing.</summary>
    private const int MinLine = 16;

    private readonly Lock gate = new();
    private volatile Pattern[] patterns = [];

    public bool IsEmpty => patterns.Length == 0;

    /// <summary>From now on the value is not let through.</summary>
    public void Add(string secretId, string value)
    {
        var mark = $"[REDACTED:{secretId}]";
        lock (gate)
        {
            // The longest first: a form that contains another one is replaced as a whole.
            patterns = [.. patterns
                .Concat(FormsOf(value).Select(form => new Pattern(form, Encoding.UTF8.GetBytes(form), mark)))
                .DistinctBy(pattern => pattern.Text, StringComparer.Ordinal)
                .OrderByDescending(pattern => pattern.Text.Length)];
        }
    }

    public string Redact(string text)
    {
        foreach (var pattern in patterns)
            text = text.Replace(pattern.Text, pattern.Mark, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The same value when there is nothing to take out, else a copy: strings, names of members, and numbers are searched.</summary>
    public JsonElement Redact(JsonElement value)
    {
        if (IsEmpty || value.ValueKind == JsonValueKind.Undefined || !MayHold(JsonMarshal.GetRawUtf8Value(value)))
            return value;

        return NodeJson.Value(writer => Write(writer, value));
    }

    /// <summary>Characters at the end of a text that may be the beginning of a secret.</summary>
    public int HeldBack(string text)
    {
        var longest = 0;
        foreach (var pattern in patterns)
        {
            for (var length = Math.Min(pattern.Text.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(pattern.Text.AsSpan(0, length)))
                    longest = length;
            }
        }

        return longest;
    }

    /// <summary>What is escaped has to be read first.</summary>
    private bool MayHold(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Contains((byte)'\\'))
            return true;

        foreach (var pattern in patterns)
        {
            if (utf8.IndexOf(pattern.Utf8) >= 0)
                return true;
        }

        return false;
    }

    private void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(Redact(member.Name));
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Redact(value.GetString()!));
                break;
            case JsonValueKind.Number when value.GetRawText() is var raw && Redact(raw) is var redacted && redacted != raw:
                writer.WriteStringValue(redacted);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private static IEnumerable<string> FormsOf(string value)
    {
        yield return value;
        if (value.Trim() is { Length: > 0 } trimmed)
        {
            yield return trimmed;
            yield return Uri.EscapeDataString(trimmed);
            yield return JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(trimmed);
            yield return JavaScriptEncoder.Default.Encode(trimmed);
            var bytes = Encoding.UTF8.GetBytes(trimmed);
            yield return Convert.ToBase64String(bytes).TrimEnd('=');
            yield return Base64Url.EncodeToString(bytes);
        }

        foreach (var line in value.Split('\n').Select(line => line.Trim()).Where(line => line.Length >= MinLine))
            yield return line;
    }

    private sealed record Pattern(string Text, byte[] Utf8, string Mark);
}

/// <summary>Takes secrets out of a text that comes in pieces: what might be the beginning of one is held back until more is known.</summary>
internal sealed class RedactingText(Redactor redactor)
{
    private string held = "";

    /// <summary>What can be let through; may be empty.</summary>
    public string Add(string piece)
    {
        if (redactor.IsEmpty)
            return piece;

        var text = redactor.Redact(held + piece);
        var tail = redactor.HeldBack(text);
        held = text[^tail..];
        return text[..^tail];
    }

    /// <summary>The rest.</summary>
    public string End()
    {
        var rest = held;
        held = "";
        return rest;
    }
}
