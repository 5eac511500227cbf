using OpenWop.Micro.Protocol.Expressions;
using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// The <c>left</c> of a condition: names and list indexes separated by dots. <c>output.approved</c> means the member of the
/// port <c>output</c> and, failing that, the port <c>approved</c>. A first name that is no name of the scope is an output port.
/// </summary>
internal static class ConditionPath
{
    /// <summary>The value at the path, null where it leads to nothing.</summary>
    public static Value Resolve(ValueReader reader, string path, ExpressionScope scope)
    {
        var names = path.Split('.');
        scope.TryGet("outputs", out var outputs);
        foreach (var (start, following) in Readings(names, scope, outputs))
        {
            if (TryFollow(reader, start, following, out var value))
            {
                return value;
            }
        }

        return Value.Null;
    }

    /// <summary>What the path may mean, the likeliest first.</summary>
    private static IEnumerable<(Value Start, string[] Names)> Readings(string[] names, ExpressionScope scope, Value outputs)
    {
        if (scope.TryGet(names[0], out var named))
        {
            yield return (named, names[1..]);
        }

        if (names[0] == "output")
        {
            yield return (outputs, names[1..]);
        }

        yield return (outputs, names);
    }

    private static bool TryFollow(ValueReader reader, Value start, string[] names, out Value value)
    {
        value = start;
        foreach (var name in names)
        {
            var found = value.Kind switch
            {
                ValueKind.Map => reader.TryMember(value, name, 0, out value),
                ValueKind.List => int.TryParse(name, out var index) && reader.TryItem(value, index, 0, out value),
                _ => false,
            };
            if (!found || value.IsError)
            {
                return found;
            }
        }

        return true;
    }
}
