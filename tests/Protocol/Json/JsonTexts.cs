using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace OpenWop.Micro.Protocol.Tests.Json;

/// <summary>Random JSON documents, and other spellings of the same document.</summary>
internal static class JsonTexts
{
    private static readonly Gen<string> Text = Gen.Char.Array[0, 8].Select(chars => new string([.. chars.Where(c => !char.IsSurrogate(c))]) + "😀");

    private static readonly Gen<JsonNode?> Scalar = Gen.OneOf<JsonNode?>(
        Gen.Const((JsonNode?)null),
        Gen.Bool.Select(value => (JsonNode?)value),
        Gen.Int.Select(value => (JsonNode?)value),
        Gen.Double[-1e300, 1e300].Select(value => (JsonNode?)value),
        Text.Select(value => (JsonNode?)value));

    public static Gen<string> Any { get; } = Value(4).Select(node => node?.ToJsonString() ?? "null");

    /// <summary>The same value with members in reverse, every character escaped, and white space.</summary>
    public static string Respell(JsonElement value)
    {
        var text = new StringBuilder();
        Respell(value, text);
        return text.ToString();
    }

    private static Gen<JsonNode?> Value(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency(
            (2, Scalar),
            (1, Value(depth - 1).Array[0, 4].Select(items => (JsonNode?)new JsonArray(items))),
            (1, Gen.Select(Text, Value(depth - 1)).Array[0, 4].Select(members => (JsonNode?)new JsonObject(
                members.DistinctBy(member => member.Item1).Select(member => KeyValuePair.Create(member.Item1, member.Item2))))));

    private static void Respell(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append("{ ");
                text.AppendJoin(" , ", value.EnumerateObject().Reverse().Select(member => $"{Escape(member.Name)} : {Respell(member.Value)}"));
                text.Append(" }");
                break;
            case JsonValueKind.Array:
                text.Append("[\n");
                text.AppendJoin("\t,", value.EnumerateArray().Select(Respell));
                text.Append(']');
                break;
            case JsonValueKind.String:
                text.Append(Escape(value.GetString()!));
                break;
            case JsonValueKind.Number when value.GetRawText().AsSpan().IndexOfAny('e', 'E', '.') < 0:
                text.Append(value.GetRawText()).Append(".0e0");
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static string Escape(string text) => $"\"{string.Concat(text.Select(c => $"\\u{(int)c:X4}"))}\"";
}
