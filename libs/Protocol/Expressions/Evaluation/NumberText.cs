using System.Globalization;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>How computed doubles are written.</summary>
internal static class NumberText
{
    /// <summary>
    /// The shortest text that reads back as the same double, always with a fraction or an exponent: a double must not turn
    /// into an integer on its way through JSON, because integers divide differently.
    /// </summary>
    public static string OfDouble(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }
}
