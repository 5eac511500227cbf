using System.Globalization;
using System.Text;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Conversions between types. A text that does not say a value of the type is an error, never a default.</summary>
internal static class Conversions
{
    private static readonly JsonLimits ParseLimits = new(int.MaxValue, ResultWriter.MaxDepth);

    private const NumberStyles DoubleStyle = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>A double loses its fraction.</summary>
    public static Value ToInt(Call call)
    {
        switch (call[0].Kind)
        {
            case ValueKind.Int:
                return call[0];
            case ValueKind.Double:
                return FromDouble(Math.Truncate(call[0].AsDouble), call.Position);
            case ValueKind.String:
                return !call.TryText(0, out var text, out var failure) ? failure
                    : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? Value.Int(integer)
                    : call.Fail(ExpressionErrorKind.Value, "does not understand the string as an integer");
            default:
                return call.WrongType(0, "a number or a string");
        }
    }

    public static Value ToDouble(Call call)
    {
        switch (call[0].Kind)
        {
            case ValueKind.Int:
                return Value.Double(call[0].AsInt);
            case ValueKind.Double:
                return Arithmetic.Finite(call[0].AsDouble, call.Position);
            case ValueKind.String:
                return !call.TryText(0, out var text, out var failure) ? failure
                    : double.TryParse(text, DoubleStyle, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? Value.Double(number)
                    : call.Fail(ExpressionErrorKind.Value, "does not understand the string as a number");
            default:
                return call.WrongType(0, "a number or a string");
        }
    }

    public static Value ToText(Call call) => call[0].Kind switch
    {
        ValueKind.String => call[0],
        ValueKind.Int => Value.Text(call[0].AsInt.ToString(CultureInfo.InvariantCulture)),
        ValueKind.Double when call[0].IsFromScope => Value.Text(Encoding.UTF8.GetString(call[0].RawUtf8)),
        ValueKind.Double => Value.Text(NumberText.OfDouble(call[0].AsDouble)),
        ValueKind.Bool => Value.Text(call[0].AsBool ? "true" : "false"),
        ValueKind.Null => Value.Text("null"),
        _ => call.Fail(ExpressionErrorKind.Type, $"does not convert {call[0].Described}; use json(x)"),
    };

    public static Value ToBool(Call call) => call[0].Kind switch
    {
        ValueKind.Bool => call[0],
        ValueKind.String => !call.TryText(0, out var text, out var failure) ? failure : text switch
        {
            "true" => Value.True,
            "false" => Value.False,
            _ => call.Fail(ExpressionErrorKind.Value, "understands the strings \"true\" and \"false\" only"),
        },
        _ => call.WrongType(0, "a bool or a string"),
    };

    public static Value ToJson(Call call)
    {
        if (!ResultWriter.TryWrite(call[0], call.Budget, call.Position, out var utf8, out var error))
        {
            return Value.Error(error.Kind, error.Position, error.Message);
        }

        return call.Budget.SpendText(utf8.Length) ? Value.Text(Encoding.UTF8.GetString(utf8.Span)) : call.Exhausted;
    }

    public static Value ParseJson(Call call)
    {
        if (!call.TryText(0, out var text, out var failure))
        {
            return failure;
        }

        return StrictJson.TryParse(Encoding.UTF8.GetBytes(text), ParseLimits, out var value, out _)
            ? Value.From(value)
            : call.Fail(ExpressionErrorKind.Value, "does not understand the string as JSON");
    }

    /// <summary>A whole double as an integer.</summary>
    public static Value FromDouble(double whole, int position) =>
        whole is >= -9_223_372_036_854_775_808d and < 9_223_372_036_854_775_808d ? Value.Int((long)whole) : Arithmetic.Overflow(position);
}
