using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Blocks;

/// <summary>A reference in a string: <c>{{ fetch.body.total }}</c>.</summary>
/// <param name="Start">Where it begins in the string.</param>
/// <param name="Length">How long it is there, braces included.</param>
/// <param name="Reference">What is between the braces, without surrounding blanks.</param>
public readonly record struct Template(int Start, int Length, string Reference);

/// <summary>
/// References in the strings of a block's parameters. One pass over the text, and one replacement: what a reference gives is data and is
/// never looked at again.
/// </summary>
public static class Templates
{
    /// <summary>
    /// The references of a string, in order. Every character is looked at twice at most, whatever the text is: it may be made to be slow.
    /// </summary>
    public static IEnumerable<Template> Scan(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var at = 0;
        while ((at = text.IndexOf("{{", at, StringComparison.Ordinal)) >= 0)
        {
            var end = text.AsSpan(at + 2).IndexOfAny('{', '}');
            if (end < 0)
                yield break;

            end += at + 2;
            if (text[end] == '{')
            {
                // The last of several braces may open a reference.
                at = end == at + 2 ? at + 1 : end;
            }
            else if (end + 1 == text.Length || text[end + 1] != '}' || text.AsSpan(at + 2, end - at - 2).IsWhiteSpace())
            {
                at = end + 1;
            }
            else
            {
                yield return new Template(at, end + 2 - at, text[(at + 2)..end].Trim());
                at = end + 2;
            }
        }
    }

    /// <summary>
    /// Writes a value with its references replaced. A string that is one reference and nothing else becomes the value itself, and
    /// vanishes when there is none: out of an object; in a list it is null. Inside a longer text values become text.
    /// </summary>
    /// <param name="find">The value of a reference; undefined = there is none.</param>
    /// <param name="maxBytes">What may be written; more throws.</param>
    /// <exception cref="TemplateTooLargeException">The result is too large.</exception>
    public static void Write(Utf8JsonWriter writer, JsonElement value, Func<string, JsonElement> find, long maxBytes)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(find);
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                    WriteMember(writer, member, find, maxBytes);
                writer.WriteEndObject();
                break;

            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    if (Whole(item) is not { } reference)
                        Write(writer, item, find, maxBytes);
                    else if (find(reference) is { ValueKind: not JsonValueKind.Undefined } found)
                        found.WriteTo(writer);
                    else
                        writer.WriteNullValue();
                }

                writer.WriteEndArray();
                break;

            case JsonValueKind.String:
                writer.WriteStringValue(Replace(value.GetString()!, find, maxBytes));
                break;

            default:
                value.WriteTo(writer);
                break;
        }

        if (writer.BytesCommitted + writer.BytesPending > maxBytes)
            throw new TemplateTooLargeException();
    }

    private static void WriteMember(Utf8JsonWriter writer, JsonProperty member, Func<string, JsonElement> find, long maxBytes)
    {
        if (Whole(member.Value) is not { } reference)
        {
            writer.WritePropertyName(member.Name);
            Write(writer, member.Value, find, maxBytes);
        }
        else if (find(reference) is { ValueKind: not JsonValueKind.Undefined } found)
        {
            writer.WritePropertyName(member.Name);
            found.WriteTo(writer);
            if (writer.BytesCommitted + writer.BytesPending > maxBytes)
                throw new TemplateTooLargeException();
        }
    }

    /// <summary>The reference that a string is, blanks around it aside; null when it is something else.</summary>
    private static string? Whole(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString()!.Trim() is not { Length: > 4 } text || !text.StartsWith("{{", StringComparison.Ordinal))
            return null;

        foreach (var template in Scan(text))
            return template.Start == 0 && template.Length == text.Length ? template.Reference : null;

        return null;
    }

    private static string Replace(string text, Func<string, JsonElement> find, long maxBytes)
    {
        StringBuilder? replaced = null;
        var done = 0;
        foreach (var template in Scan(text))
        {
            replaced ??= new StringBuilder(text.Length + 64);
            replaced.Append(text, done, template.Start - done);
            var value = find(template.Reference);
            replaced.Append(value.ValueKind switch
            {
                JsonValueKind.Undefined or JsonValueKind.Null => "",
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Object or JsonValueKind.Array => JsonSerializer.Serialize(value, CompactJson.Options),
                _ => value.GetRawText(),
            });
            done = template.Start + template.Length;
            if (replaced.Length > maxBytes)
                throw new TemplateTooLargeException();
        }

        return replaced is null ? text : replaced.Append(text, done, text.Length - done).ToString();
    }

    private static class CompactJson
    {
        public static readonly JsonSerializerOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    }
}

/// <summary>References have blown a value up beyond what is allowed.</summary>
public sealed class TemplateTooLargeException : Exception
{
    public TemplateTooLargeException()
        : base("The value is too large once its references are replaced.")
    {
    }

    public TemplateTooLargeException(string message)
        : base(message)
    {
    }

    public TemplateTooLargeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
