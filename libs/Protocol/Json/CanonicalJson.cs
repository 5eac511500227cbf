using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Json;

/// <summary>
/// The one byte form of a JSON value: RFC 8785 (JCS). Members sorted by UTF-16 code units, numbers as ECMAScript prints
/// them, minimal escapes, no Unicode normalization. Refused, with <see cref="JsonException"/>, is what has no such form:
/// a member twice in one object, a number beyond the range of a double, half a surrogate pair.
/// </summary>
/// <remarks>
/// Numbers are doubles here, as the RFC has it: integers beyond 2^53 that round to the same double get the same form.
/// </remarks>
public static class CanonicalJson
{
    /// <summary>The canonical form as UTF-8.</summary>
    public static byte[] ToUtf8Bytes(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(value, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>SHA-256 of the canonical form: 32 bytes.</summary>
    public static byte[] Digest(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(value, output);
        return SHA256.HashData(output.WrittenSpan);
    }

    /// <summary>Writes the canonical form.</summary>
    public static void Write(JsonElement value, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        try
        {
            WriteValue(value, output);
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("A text is not valid Unicode.", exception);
        }
    }

    /// <summary>A number as ECMAScript's <c>Number.prototype.toString</c> prints it (RFC 8785 3.2.2.3).</summary>
    /// <exception cref="JsonException">The number is not finite.</exception>
    public static string FormatNumber(double number)
    {
        if (!double.IsFinite(number))
            throw new JsonException("A number is out of range.");

        if (number == 0)
            return "0"; // Minus zero too.

        // The shortest digits that give the same number back; only their layout differs between the two worlds.
        var shortest = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture);
        var digits = Digits(shortest);
        var sign = number < 0 ? "-" : "";

        // ECMA-262: k digits, and the point stands after the n-th.
        var k = digits.Length;
        var n = PointAfter(shortest);
        return sign + (n switch
        {
            _ when k <= n && n <= 21 => digits + new string('0', n - k),
            > 0 and <= 21 => $"{digits.AsSpan(0, n)}.{digits.AsSpan(n)}",
            > -6 and <= 0 => $"0.{new string('0', -n)}{digits}",
            _ => string.Create(
                CultureInfo.InvariantCulture, $"{digits[0]}{(k > 1 ? "." : "")}{digits.AsSpan(1)}e{(n < 1 ? "-" : "+")}{Math.Abs(n - 1)}"),
        });
    }

    private static string Digits(string shortest)
    {
        var end = shortest.IndexOf('E', StringComparison.Ordinal);
        var mantissa = (end < 0 ? shortest : shortest[..end]).Replace(".", "", StringComparison.Ordinal);
        return mantissa.TrimStart('0').TrimEnd('0');
    }

    /// <summary>Position of the decimal point relative to the first digit that is not zero.</summary>
    private static int PointAfter(string shortest)
    {
        var end = shortest.IndexOf('E', StringComparison.Ordinal);
        var mantissa = end < 0 ? shortest : shortest[..end];
        var exponent = end < 0 ? 0 : int.Parse(shortest.AsSpan(end + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? at : mantissa.Length;
        var first = mantissa.AsSpan().IndexOfAnyInRange('1', '9');
        return exponent + point - first + (first < point ? 0 : 1);
    }

    private static void WriteValue(JsonElement value, IBufferWriter<byte> output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(value, output);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                var isFirst = true;
                foreach (var item in value.EnumerateArray())
                {
                    if (!isFirst)
                        output.Write(","u8);

                    isFirst = false;
                    WriteValue(item, output);
                }

                output.Write("]"u8);
                break;
            case JsonValueKind.String:
                WriteString(value.GetString()!, output);
                break;
            case JsonValueKind.Number:
                WriteText(FormatNumber(value.GetDouble()), output);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new JsonException("There is no value.");
        }
    }

    private static void WriteObject(JsonElement value, IBufferWriter<byte> output)
    {
        var members = value.EnumerateObject().Select(member => (member.Name, member.Value)).ToArray();
        Array.Sort(members, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        output.Write("{"u8);
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0)
            {
                if (string.Equals(members[i].Name, members[i - 1].Name, StringComparison.Ordinal))
                    throw new JsonException("A member appears twice.");

                output.Write(","u8);
            }

            WriteString(members[i].Name, output);
            output.Write(":"u8);
            WriteValue(members[i].Value, output);
        }

        output.Write("}"u8);
    }

    private static void WriteString(string text, IBufferWriter<byte> output)
    {
        output.Write("\""u8);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is >= ' ' and not ('"' or '\\'))
                continue;

            WriteText(text.AsSpan(start, i - start), output);
            WriteText(Escape(text[i]), output);
            start = i + 1;
        }

        WriteText(text.AsSpan(start), output);
        output.Write("\""u8);
    }

    private static string Escape(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\f' => "\\f",
        '\r' => "\\r",
        _ => $"\\u{(int)c:x4}",
    };

    private static void WriteText(ReadOnlySpan<char> text, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(text, output);
}
