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

    private readonly BigInteger _coefficient;
    private readonly long _exponent;

    private JsonNumber(BigInteger coefficient, long exponent)
    {
        _coefficient = coefficient;
        _exponent = exponent;
    }

    public bool IsInteger => _exponent >= 0;

    public bool IsPositive => _coefficient.Sign > 0;

    public bool IsNegative => _coefficient.Sign < 0;

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
    public int? ToCount() => IsInteger && !IsNegative ? (int)Math.Min(ToInt64(), int.MaxValue) : null;

    /// <summary>A whole number, saturated.</summary>
    public long ToInt64()
    {
        if (_exponent > 20)
            return IsNegative ? long.MinValue : long.MaxValue;

        return (long)BigInteger.Clamp(_coefficient * BigInteger.Pow(10, (int)_exponent), long.MinValue, long.MaxValue);
    }

    public int CompareTo(JsonNumber other)
    {
        if (_coefficient.Sign != other._coefficient.Sign || _coefficient.IsZero)
            return _coefficient.Sign.CompareTo(other._coefficient.Sign);

        var difference = _exponent - other._exponent;
        if (Math.Abs(difference) > 32)
        {
            // Equal signs: the number with more digits before the point is the larger one in magnitude. With as many, the
            // exponents differ by no more than the digits the coefficients have, so that the powers below stay small.
            var order = (Digits(_coefficient) + _exponent).CompareTo(Digits(other._coefficient) + other._exponent);
            if (order != 0)
                return order * _coefficient.Sign;
        }

        return difference >= 0
            ? (_coefficient * BigInteger.Pow(10, (int)difference)).CompareTo(other._coefficient)
            : _coefficient.CompareTo(other._coefficient * BigInteger.Pow(10, (int)-difference));
    }

    /// <summary>True when the value is a whole multiple of a positive <paramref name="divisor"/>.</summary>
    public bool IsMultipleOf(JsonNumber divisor)
    {
        if (_coefficient.IsZero)
            return true;

        var difference = _exponent - divisor._exponent;
        if (difference >= 0)
            return (_coefficient % divisor._coefficient * BigInteger.ModPow(10, difference, divisor._coefficient) % divisor._coefficient).IsZero;

        // value = c / 10^n × divisor's unit: c must carry the factor 10^n, which it does not when it has fewer digits.
        return -difference <= Digits(_coefficient)
            && (_coefficient % (divisor._coefficient * BigInteger.Pow(10, (int)-difference))).IsZero;
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
