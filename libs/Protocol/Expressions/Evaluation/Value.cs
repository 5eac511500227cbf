using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

internal enum ValueKind : byte
{
    /// <summary>No value but the reason why there is none.</summary>
    Error,
    Null,
    Bool,
    Int,
    Double,
    String,
    List,
    Map,
}

/// <summary>
/// A value during evaluation. What comes from the scope stays a <see cref="JsonElement"/> until somebody looks into it, so
/// that selecting a member costs nothing and a number that is only passed on keeps its text.
/// </summary>
internal readonly struct Value
{
    public static readonly Value Null = new(ValueKind.Null);
    public static readonly Value True = new(ValueKind.Bool, 1);
    public static readonly Value False = new(ValueKind.Bool);
    public static readonly Value EmptyText = Text("");

    private readonly long bits;
    private readonly object? reference;
    private readonly JsonElement element;

    private Value(ValueKind kind, long bits = 0, object? reference = null, JsonElement element = default)
    {
        Kind = kind;
        this.bits = bits;
        this.reference = reference;
        this.element = element;
    }

    public ValueKind Kind { get; }

    public bool IsError => Kind == ValueKind.Error;

    public bool IsNumber => Kind is ValueKind.Int or ValueKind.Double;

    public bool IsNegativeNumber => Kind switch
    {
        ValueKind.Int => bits < 0,
        ValueKind.Double => double.IsNegative(AsDouble),
        _ => false,
    };

    public bool AsBool => bits != 0;

    public long AsInt => bits;

    /// <summary>The number; of an integer the nearest double.</summary>
    public double AsDouble => Kind == ValueKind.Int ? bits : BitConverter.Int64BitsToDouble(bits);

    public ExpressionError AsError => (ExpressionError)reference!;

    /// <summary>The text of a string that does not come from the scope.</summary>
    public string LiteralText => (string)reference!;

    /// <summary>Whether this is an integer of the scope outside the 64-bit range: it can be passed on and compared, not computed with.</summary>
    public bool IsHugeInteger => Kind == ValueKind.Double && IsFromScope && !RawUtf8.ContainsAny(".eE"u8);

    /// <summary>Whether this is an unchanged part of the scope; then <see cref="Element"/> is set.</summary>
    public bool IsFromScope => element.ValueKind != JsonValueKind.Undefined;

    public JsonElement Element => element;

    /// <summary>The JSON text of an unchanged part of the scope.</summary>
    public ReadOnlySpan<byte> RawUtf8 => JsonMarshal.GetRawUtf8Value(element);

    /// <summary>Items of a list that was made by the expression.</summary>
    public Value[]? Items => reference as Value[];

    /// <summary>Members of a map that was made by the expression.</summary>
    public OrderedDictionary<string, Value>? Members => reference as OrderedDictionary<string, Value>;

    /// <summary>Members of a name of the scope that is looked up member by member.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ScopeMembers => reference as IReadOnlyDictionary<string, JsonElement>;

    public string TypeName => Kind switch
    {
        ValueKind.Null => "null",
        ValueKind.Bool => "bool",
        ValueKind.Int => "int",
        ValueKind.Double => "double",
        ValueKind.String => "string",
        ValueKind.List => "list",
        ValueKind.Map => "map",
        _ => "error",
    };

    /// <summary>The type with its article, for messages.</summary>
    public string Described => Kind switch
    {
        ValueKind.Null => TypeName,
        ValueKind.Int => "an int",
        _ => $"a {TypeName}",
    };

    public static Value Bool(bool value) => value ? True : False;

    public static Value Int(long value) => new(ValueKind.Int, value);

    public static Value Double(double value) => new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static Value Text(string value) => new(ValueKind.String, reference: value);

    public static Value List(Value[] items) => new(ValueKind.List, reference: items);

    public static Value Map(OrderedDictionary<string, Value> members) => new(ValueKind.Map, reference: members);

    public static Value Error(ExpressionErrorKind kind, int position, string message) =>
        new(ValueKind.Error, reference: new ExpressionError(kind, position, message));

    public static Value From(IReadOnlyDictionary<string, JsonElement> members) => new(ValueKind.Map, reference: members);

    public static Value From(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True => True,
        JsonValueKind.False => False,
        JsonValueKind.String => new Value(ValueKind.String, element: element),
        JsonValueKind.Array => new Value(ValueKind.List, element: element),
        JsonValueKind.Object => new Value(ValueKind.Map, element: element),
        JsonValueKind.Number when element.TryGetInt64(out var integer) => new Value(ValueKind.Int, integer, element: element),
        JsonValueKind.Number => new Value(ValueKind.Double, BitConverter.DoubleToInt64Bits(element.GetDouble()), element: element),
        _ => Null,
    };
}
