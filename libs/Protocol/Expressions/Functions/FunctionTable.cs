using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>All functions (docs/expressions.md). <c>f(x, y)</c> may also be written <c>x.f(y)</c>.</summary>
internal static class FunctionTable
{
    private static readonly FrozenDictionary<string, Function> ByName = new Function[]
    {
        new("size", "size(x)", 1, 1, GeneralFunctions.Size),
        new("type", "type(x)", 1, 1, GeneralFunctions.Type),
        new("get", "get(x, key, default)", 3, 3, GeneralFunctions.Get),
        new("int", "int(x)", 1, 1, Conversions.ToInt),
        new("double", "double(x)", 1, 1, Conversions.ToDouble),
        new("string", "string(x)", 1, 1, Conversions.ToText),
        new("bool", "bool(x)", 1, 1, Conversions.ToBool),
        new("json", "json(x)", 1, 1, Conversions.ToJson),
        new("parseJson", "parseJson(text)", 1, 1, Conversions.ParseJson),

        new("contains", "contains(text, part)", 2, 2, TextFunctions.Contains),
        new("startsWith", "startsWith(text, part)", 2, 2, TextFunctions.StartsWith),
        new("endsWith", "endsWith(text, part)", 2, 2, TextFunctions.EndsWith),
        new("indexOf", "indexOf(text, part)", 2, 2, TextFunctions.IndexOf),
        new(Patterns.FunctionName, "matches(text, pattern)", 2, 2, Patterns.Matches),
        new("lower", "lower(text)", 1, 1, TextFunctions.Lower),
        new("upper", "upper(text)", 1, 1, TextFunctions.Upper),
        new("trim", "trim(text)", 1, 1, TextFunctions.Trim),
        new("replace", "replace(text, part, by)", 3, 3, TextFunctions.Replace),
        new("substring", "substring(text, start, end)", 2, 3, TextFunctions.Substring),
        new("split", "split(text, separator)", 2, 2, TextFunctions.Split),
        new("join", "join(list, separator)", 1, 2, TextFunctions.Join),

        new("first", "first(list)", 1, 1, ListFunctions.First),
        new("last", "last(list)", 1, 1, ListFunctions.Last),
        new("slice", "slice(list, start, end)", 2, 3, ListFunctions.Slice),
        new("reverse", "reverse(list)", 1, 1, ListFunctions.Reverse),
        new("sort", "sort(list)", 1, 1, ListFunctions.Sort),
        new("distinct", "distinct(list)", 1, 1, ListFunctions.Distinct),
        new("flatten", "flatten(list)", 1, 1, ListFunctions.Flatten),
        new("range", "range(count)", 1, 1, ListFunctions.Range),

        new("keys", "keys(map)", 1, 1, MapFunctions.Keys),
        new("values", "values(map)", 1, 1, MapFunctions.Values),
        new("entries", "entries(map)", 1, 1, MapFunctions.Entries),
        new("fromEntries", "fromEntries(list)", 1, 1, MapFunctions.FromEntries),
        new("merge", "merge(map, map, …)", 1, 16, MapFunctions.Merge),
        new("pick", "pick(map, keys)", 2, 2, MapFunctions.Pick),
        new("omit", "omit(map, keys)", 2, 2, MapFunctions.Omit),

        new("sum", "sum(list)", 1, 1, NumberFunctions.Sum),
        new("min", "min(list) or min(x, y, …)", 1, 16, NumberFunctions.Min),
        new("max", "max(list) or max(x, y, …)", 1, 16, NumberFunctions.Max),
        new("abs", "abs(number)", 1, 1, NumberFunctions.Abs),
        new("round", "round(number, digits)", 1, 2, NumberFunctions.Round),
        new("floor", "floor(number)", 1, 1, NumberFunctions.Floor),
        new("ceil", "ceil(number)", 1, 1, NumberFunctions.Ceil),
    }.ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    public static IEnumerable<Function> All => ByName.Values;

    public static Function? Find(string name) => ByName.GetValueOrDefault(name);
}
