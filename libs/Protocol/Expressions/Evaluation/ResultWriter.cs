using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>Turns values into JSON within the size limit. Unchanged parts of the scope are copied byte by byte.</summary>
internal static class ResultWriter
{
    /// <summary>How deep a value may be nested; JSON readers stop there.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonElement True = JsonElement.Parse("true"u8);
    private static readonly JsonElement False = JsonElement.Parse("false"u8);
    private static readonly JsonElement Null = JsonElement.Parse("null"u8);

    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static ExpressionResult ToResult(Value value, Budget budget, int position)
    {
        switch (value.Kind)
        {
            case ValueKind.Error:
                return new ExpressionResult(value.AsError);
            case ValueKind.Null:
                return new ExpressionResult(Null);
            case ValueKind.Bool:
                return new ExpressionResult(value.AsBool ? True : False);
        }

        if (value.IsFromScope)
        {
            return value.RawUtf8.Length <= budget.MaxResultBytes ? new ExpressionResult(value.Element) : new ExpressionResult(TooLarge(budget, position));
        }

        if (!TryWrite(value, budget, position, out var utf8, out var error))
        {
            return new ExpressionResult(error);
        }

        try
        {
            return new ExpressionResult(JsonElement.Parse(utf8.Span));
        }
        catch (JsonException)
        {
            // Parts of the scope are copied unseen, so only the reader finds out how deep the whole has become.
            return new ExpressionResult(TooDeep(position));
        }
    }

    /// <summary>The JSON text of a value; false with the limit that it breaks.</summary>
    public static bool TryWrite(Value value, Budget budget, int position, out ReadOnlyMemory<byte> utf8, out ExpressionError error)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        var failure = Write(writer, value, budget, position);
        if (failure is null)
        {
            writer.Flush();
        }

        error = failure!;
        utf8 = buffer.WrittenMemory;
        return failure is null;
    }

    private static ExpressionError? Write(Utf8JsonWriter writer, Value value, Budget budget, int position)
    {
        if (writer.BytesCommitted + writer.BytesPending > budget.MaxResultBytes)
        {
            return TooLarge(budget, position);
        }

        switch (value.Kind)
        {
            case var _ when value.IsFromScope:
                return WriteRaw(writer, value.Element, budget, position);
            case ValueKind.Null:
                writer.WriteNullValue();
                return null;
            case ValueKind.Bool:
                writer.WriteBooleanValue(value.AsBool);
                return null;
            case ValueKind.Int:
                writer.WriteNumberValue(value.AsInt);
                return null;
            case ValueKind.Double:
                writer.WriteRawValue(NumberText.OfDouble(value.AsDouble), skipInputValidation: true);
                return null;
            case ValueKind.String:
                return WriteText(writer, value.LiteralText, budget, position);
            case ValueKind.List:
                return WriteList(writer, value.Items!, budget, position);
            default:
                return WriteMap(writer, value, budget, position);
        }
    }

    private static ExpressionError? WriteRaw(Utf8JsonWriter writer, JsonElement element, Budget budget, int position)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        if (raw.Length > budget.MaxResultBytes)
        {
            return TooLarge(budget, position);
        }

        writer.WriteRawValue(raw, skipInputValidation: true);
        return CheckSize(writer, budget, position);
    }

    private static ExpressionError? WriteText(Utf8JsonWriter writer, string text, Budget budget, int position)
    {
        if (text.Length > budget.MaxResultBytes)
        {
            return TooLarge(budget, position);
        }

        writer.WriteStringValue(text);
        return CheckSize(writer, budget, position);
    }

    private static ExpressionError? WriteList(Utf8JsonWriter writer, Value[] items, Budget budget, int position)
    {
        if (writer.CurrentDepth >= MaxDepth)
        {
            return TooDeep(position);
        }

        writer.WriteStartArray();
        foreach (var item in items)
        {
            if (Write(writer, item, budget, position) is { } failure)
            {
                return failure;
            }
        }

        writer.WriteEndArray();
        return CheckSize(writer, budget, position);
    }

    private static ExpressionError? WriteMap(Utf8JsonWriter writer, Value map, Budget budget, int position)
    {
        if (writer.CurrentDepth >= MaxDepth)
        {
            return TooDeep(position);
        }

        writer.WriteStartObject();
        var members = map.Members ?? map.ScopeMembers!.Select(member => KeyValuePair.Create(member.Key, Value.From(member.Value)));
        foreach (var (name, member) in members)
        {
            writer.WritePropertyName(name);
            if (Write(writer, member, budget, position) is { } failure)
            {
                return failure;
            }
        }

        writer.WriteEndObject();
        return CheckSize(writer, budget, position);
    }

    private static ExpressionError? CheckSize(Utf8JsonWriter writer, Budget budget, int position) =>
        writer.BytesCommitted + writer.BytesPending > budget.MaxResultBytes ? TooLarge(budget, position) : null;

    private static ExpressionError TooLarge(Budget budget, int position) =>
        new(ExpressionErrorKind.Limit, position, $"the value is larger than {budget.MaxResultBytes} bytes");

    private static ExpressionError TooDeep(int position) =>
        new(ExpressionErrorKind.Limit, position, $"the value is nested more than {MaxDepth} levels deep");
}
