using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// A JSON number, exactly: <c>coefficient × 10^exponent</c> without trailing zeros in the coefficient. Comparison and
/// divisibility never round, and never expand an exponent: <c>1e999999999</c> costs no more than <c>1</c>.
/// </summary>
internal readonly struct JsonNumber : IComparable<JsonNumber>
{
    /// <summary>Longer numbers are refused: parsing digits is quadratic.</summary>
    public const int MaxLength = 1_024;

    private const long MaxExponent = 1_000_000_000_000;

    private readonly BigInteger coefficient;
    private readonly long exponent;

    private JsonNumber(BigInteger coefficient, long exponent)
    {
        this.coefficient = coefficient;
        this.exponent = exponent;
    }

    public bool IsInteger => exponent >= 0;

    public bool IsPositive => coefficient.Sign > 0;

    /// <summary>True and the number, unless it is longer than <see cref="MaxLength"/>.</summary>
    public static bool TryRead(JsonElement element, out JsonNumber number)
    {
        if (element.TryGetInt64(out var integer))
        {
            number = Normalize(integer, 0);
            return true;
        }

        var text = JsonMarshal.GetRawUtf8Value(element);
        number = default;
        if (text.Length > MaxLength)
            return false;

        var mantissa = text;
        long exponent = 0;
        if (text.IndexOfAny("eE"u8) is >= 0 and var e)
        {
            mantissa = text[..e];
            exponent = Exponent(text[(e + 1)..]);
        }

        var digits = Encoding.ASCII.GetString(mantissa);
        if (digits.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point)
        {
            exponent -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }

        number = Normalize(BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), exponent);
        return true;
    }

    /// <summary>The value as a count that fits <see cref="int"/>, saturated; null when negative or not whole.</summary>
    public int? ToCount()
    {
        if (!IsInteger || coefficient.Sign < 0)
            return null;

        return exponent > 10 || coefficient > int.MaxValue
            ? int.MaxValue
            : (int)BigInteger.Min(coefficient * BigInteger.Pow(10, (int)exponent), int.MaxValue);
    }

    public int CompareTo(JsonNumber other)
    {
        if (coefficient.Sign != other.coefficient.Sign || coefficient.IsZero)
            return coefficient.Sign.CompareTo(other.coefficient.Sign);

        var difference = exponent - other.exponent;
        if (Math.Abs(difference) > 32)
        {
            // Equal signs: the number with more digits before the point is the larger one in magnitude. With as many, the
            // exponents differ by no more than the digits the coefficients have, so that the powers below stay small.
            var order = (Digits(coefficient) + exponent).CompareTo(Digits(other.coefficient) + other.exponent);
            if (order != 0)
                return order * coefficient.Sign;
        }

        return difference >= 0
            ? (coefficient * BigInteger.Pow(10, (int)difference)).CompareTo(other.coefficient)
            : coefficient.CompareTo(other.coefficient * BigInteger.Pow(10, (int)-difference));
    }

    /// <summary>True when the value is a whole multiple of a positive <paramref name="divisor"/>.</summary>
    public bool IsMultipleOf(JsonNumber divisor)
    {
        if (coefficient.IsZero)
            return true;

        var difference = exponent - divisor.exponent;
        if (difference >= 0)
            return (coefficient % divisor.coefficient * BigInteger.ModPow(10, difference, divisor.coefficient) % divisor.coefficient).IsZero;

        // value = c / 10^n × divisor's unit: c must carry the factor 10^n, which it does not when it has fewer digits.
        return -difference <= Digits(coefficient)
            && (coefficient % (divisor.coefficient * BigInteger.Pow(10, (int)-difference))).IsZero;
    }

    private static JsonNumber Normalize(BigInteger coefficient, long exponent)
    {
        if (coefficient.IsZero)
            return new JsonNumber(BigInteger.Zero, 0);

        while (true)
        {
            var quotient = BigInteger.DivRem(coefficient, 10, out var remainder);
            if (!remainder.IsZero)
                return new JsonNumber(coefficient, exponent);

            coefficient = quotient;
            exponent++;
        }
    }

    private static long Exponent(ReadOnlySpan<byte> text)
    {
        var negative = text[0] == '-';
        long value = 0;
        foreach (var digit in text)
        {
            if (digit is >= (byte)'0' and <= (byte)'9')
                value = Math.Min((value * 10) + (digit - '0'), MaxExponent);
        }

        return negative ? -value : value;
    }

    private static long Digits(BigInteger value) => BigInteger.Abs(value).ToString(CultureInfo.InvariantCulture).Length;
}
