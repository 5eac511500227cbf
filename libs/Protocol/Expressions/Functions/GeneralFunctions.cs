using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Functions for values of several types.</summary>
internal static class GeneralFunctions
{
    public static Value Size(Call call)
    {
        if (call[0].Kind is not (ValueKind.String or ValueKind.List or ValueKind.Map))
        {
            return call.WrongType(0, "a string, list or map");
        }

        var count = call.Reader.Count(call[0], call.Position, out var failure);
        return count < 0 ? failure : Value.Int(count);
    }

    public static Value Type(Call call) => Value.Text(call[0].TypeName);

    /// <summary>The default stands in for what is missing, and for JSON null.</summary>
    public static Value Get(Call call)
    {
        var value = Collections.ItemOrMember(call.Reader, call[0], call[1], call.Position);
        return value.Kind == ValueKind.Null || (value.IsError && value.AsError.Kind == ExpressionErrorKind.Missing) ? call[2] : value;
    }
}
