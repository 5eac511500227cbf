using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// One validation: walks value and schema together, once. Without a sink for errors it stops at the first one. What
/// <see cref="SchemaLimits"/> does not allow ends the walk with an error instead of an answer.
/// </summary>
internal sealed partial class SchemaEvaluator(SchemaLimits limits, int maxErrors)
{
    private readonly List<SchemaError> _errors = [];
    private readonly JsonPath _path = new();
    private readonly List<SchemaResource> _scope = [];
    private long _steps;
    private TimeSpan _patternTime;
    private int _depth;

    /// <summary>The errors of a value; none when it fits.</summary>
    public static List<SchemaError> Run(SchemaNode root, JsonElement value, SchemaLimits limits, int maxErrors)
    {
        var evaluator = new SchemaEvaluator(limits, maxErrors);
        try
        {
            evaluator.Evaluate(root, value, evaluator._errors, null);
        }
        catch (StopException stop)
        {
            evaluator._errors.Insert(0, stop.Error); // Whatever was found before: the walk has not seen everything.
        }

        return evaluator._errors;
    }

    /// <param name="node">The subschema.</param>
    /// <param name="value">The value it applies to.</param>
    /// <param name="errors">Sink; null to know only whether it fits.</param>
    /// <param name="parent">Where to note what was evaluated; null when nobody asks.</param>
    private bool Evaluate(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? parent)
    {
        if (_errors.Count >= maxErrors)
            return false; // All that will be reported is known.

        if (node.Always is { } always)
            return always || Fail(errors, "not", "No value is allowed here.");

        Charge(1 + (JsonMarshal.GetRawUtf8Value(value).Length >> 10));
        if (++_depth > limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Stop("$ref", "Schemas are applied inside one another too deeply.");

        var entered = _scope.Count == 0 || _scope[^1] != node.Resource;
        if (entered)
            _scope.Add(node.Resource);

        var seen = parent is not null || node.LooksBack ? new Evaluated() : null;
        var valid = Any(node, value, errors);
        valid = (valid || errors is not null) && OfKind(node, value, errors, seen) && valid;
        valid = (valid || errors is not null) && InPlace(node, value, errors, seen) && valid;
        if (valid && node.LooksBack)
            valid = Unevaluated(node, value, errors, seen!);

        if (entered)
            _scope.RemoveAt(_scope.Count - 1);

        _depth--;
        if (valid && seen is not null)
            parent?.Merge(seen);

        return valid;
    }

    /// <summary>Keywords for values of any kind.</summary>
    private bool Any(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        var valid = node.Types == SchemaTypes.None || HasType(node.Types, value)
            || Fail(errors, "type", $"The value must be of type {Describe(node.Types)}.");

        if (node.Const is { } constant && !AreEqual(constant, value))
            valid = Fail(errors, "const", $"The value must be {Shorten(constant)}.");

        if (node.Enum is { } allowed)
        {
            Charge(allowed.Length >> 2);
            if (!allowed.Any(item => AreEqual(item, value)))
                valid = Fail(errors, "enum", $"The value must be one of {string.Join(", ", allowed.Take(16).Select(Shorten))}.");
        }

        return valid;
    }

    private bool OfKind(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen) => value.ValueKind switch
    {
        JsonValueKind.Object => Object(node, value, errors, seen),
        JsonValueKind.Array => Array(node, value, errors, seen),
        JsonValueKind.String => String(node, value, errors),
        JsonValueKind.Number => Number(node, value, errors),
        _ => true,
    };

    /// <summary>Keywords that apply further schemas to the same value.</summary>
    private bool InPlace(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = true;
        if (node.Ref is { } target)
            valid &= Evaluate(target, value, errors, seen);

        if (node.DynamicRef is { } initial)
            valid &= Evaluate(InScope(initial, node.DynamicAnchor), value, errors, seen);

        foreach (var schema in node.AllOf ?? [])
        {
            valid &= Evaluate(schema, value, errors, seen);
            if (!valid && errors is null)
                return false;
        }

        if (node.DependentSchemas is { } dependent && value.ValueKind == JsonValueKind.Object)
        {
            Charge(CostOfFinding(dependent.Count, value));
            foreach (var (name, schema) in dependent)
            {
                if (value.TryGetProperty(name, out _))
                    valid &= Evaluate(schema, value, errors, seen);
            }
        }

        if (node.AnyOf is { } anyOf)
            valid &= Alternatives("anyOf", anyOf, value, errors, seen, single: false);

        if (node.OneOf is { } oneOf)
            valid &= Alternatives("oneOf", oneOf, value, errors, seen, single: true);

        if (node.Not is { } not && Evaluate(not, value, null, null))
            valid = Fail(errors, "not", "The value is of a shape that is excluded.");

        if (node.If is { } condition)
        {
            var branch = Evaluate(condition, value, null, seen) ? node.Then : node.Else;
            if (branch is not null)
                valid &= Evaluate(branch, value, errors, seen);
        }

        return valid;
    }

    /// <summary>One alternative, or exactly one, must fit.</summary>
    private bool Alternatives(string keyword, SchemaNode[] schemas, JsonElement value, List<SchemaError>? errors, Evaluated? seen, bool single)
    {
        var matches = 0;
        foreach (var schema in schemas)
        {
            if (!Evaluate(schema, value, null, seen))
                continue;

            matches++;
            if (seen is null && (!single || matches > 1))
                break; // Decided; all others are looked at only to know what they evaluate.
        }

        if (matches == 1 || (matches > 1 && !single))
            return true;

        if (matches > 1)
            return Fail(errors, keyword, "The value fits more than one alternative.");

        return errors is not null && Explain(keyword, schemas, value, errors);
    }

    /// <summary>
    /// When no alternative fits, the errors of the one that was meant are worth more than those of all: the one whose types
    /// and fixed members fit.
    /// </summary>
    private bool Explain(string keyword, SchemaNode[] schemas, JsonElement value, List<SchemaError> errors)
    {
        List<SchemaError>? meant = null;
        var candidates = 0;
        foreach (var schema in schemas)
        {
            var found = new List<SchemaError>();
            Evaluate(schema, value, found, null);
            if (found.Exists(TellsApart))
                continue;

            candidates++;
            meant = found;
        }

        if (candidates != 1)
            return Fail(errors, keyword, "The value fits none of the alternatives.");

        errors.AddRange(meant!.Take(maxErrors - errors.Count));
        return false;
    }

    /// <summary>True for an error that says "another alternative was meant".</summary>
    private bool TellsApart(SchemaError error) =>
        error.Keyword is "const" or "enum" or "type" && error.Path.AsSpan().Count('/') <= _path.Depth + 1;

    /// <summary>The target of a dynamic reference: the outermost resource on the way here that has the anchor.</summary>
    private SchemaNode InScope(SchemaNode initial, string? anchor)
    {
        if (anchor is null)
            return initial;

        foreach (var resource in _scope)
        {
            if (resource.DynamicAnchors.TryGetValue(anchor, out var target))
                return target;
        }

        return initial;
    }

    private bool HasType(SchemaTypes types, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => types.HasFlag(SchemaTypes.Object),
        JsonValueKind.Array => types.HasFlag(SchemaTypes.Array),
        JsonValueKind.String => types.HasFlag(SchemaTypes.String),
        JsonValueKind.True or JsonValueKind.False => types.HasFlag(SchemaTypes.Boolean),
        JsonValueKind.Null => types.HasFlag(SchemaTypes.Null),
        _ => types.HasFlag(SchemaTypes.Number) || (types.HasFlag(SchemaTypes.Integer) && ReadNumber(value).IsInteger),
    };

    private static string Describe(SchemaTypes types) =>
        string.Join(" or ", System.Enum.GetValues<SchemaTypes>()
            .Where(type => type != SchemaTypes.None && types.HasFlag(type))
            .Select(type => type.ToString().ToLowerInvariant()));

    private static string Shorten(JsonElement value) => value.GetRawText() is { Length: <= 64 } text ? text : value.GetRawText()[..63] + "…";

    private bool AreEqual(JsonElement left, JsonElement right)
    {
        if (left.ValueKind != right.ValueKind)
            return false;

        Charge(JsonMarshal.GetRawUtf8Value(left).Length >> 8);
        try
        {
            return JsonElement.DeepEquals(left, right);
        }
        catch (InvalidOperationException)
        {
            throw Stop("type", "A string is not valid Unicode.");
        }
    }

    private JsonNumber ReadNumber(JsonElement value) => JsonNumber.TryRead(value, out var number)
        ? number
        : throw Stop("type", $"A number may have at most {JsonNumber.MaxLength} characters.");

    private string ReadString(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Stop("type", "A string is not valid Unicode.");
        }
    }

    private string ReadName(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw Stop("propertyNames", "The name of a member is not valid Unicode.");
        }
    }

    private bool IsMatch(SchemaPattern pattern, string text)
    {
        Charge(1 + (text.Length >> 6));
        if (pattern.IsLinear)
            return pattern.IsMatch(text);

        var start = Stopwatch.GetTimestamp();
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            throw Stop("pattern", "Matching a pattern takes too long.");
        }
        finally
        {
            _patternTime += Stopwatch.GetElapsedTime(start);
            if (_patternTime > limits.PatternTimeout)
                _steps = limits.MaxSteps; // The next step is refused.
        }
    }

    /// <summary>Steps of looking for names one by one: members are compared in turn.</summary>
    private static int CostOfFinding(int names, JsonElement value) => names * (1 + (value.GetPropertyCount() >> 6));

    private void Charge(int cost)
    {
        _steps += cost;
        if (_steps > limits.MaxSteps)
            throw Stop("$schema", "The value is too expensive to validate.");
    }

    /// <summary>Notes an error where errors are wanted; the message is not even put together where they are not.</summary>
    private bool Fail(List<SchemaError>? errors, string keyword, [InterpolatedStringHandlerArgument(nameof(errors))] ref Message message)
    {
        if (errors is not null && errors.Count < maxErrors)
            errors.Add(new SchemaError(_path.ToString(), keyword, message.ToString()));

        return false;
    }

    private bool Fail(List<SchemaError>? errors, string keyword, string message) => Fail(errors, keyword, $"{message}");

    private StopException Stop(string keyword, string message) => new(new SchemaError(_path.ToString(), keyword, message));

    /// <summary>An interpolated string that costs nothing unless there is a list for it.</summary>
    [InterpolatedStringHandler]
    private readonly ref struct Message
    {
        private readonly StringBuilder? _text;

        public Message(int literalLength, int formattedCount, List<SchemaError>? errors, out bool isWanted)
        {
            isWanted = errors is not null;
            _text = isWanted ? new StringBuilder(literalLength + (formattedCount * 16)) : null;
        }

        public void AppendLiteral(string text) => _text!.Append(text);

        public void AppendFormatted(string text) => _text!.Append(text);

        public void AppendFormatted(int number) => _text!.Append(CultureInfo.InvariantCulture, $"{number}");

        public override string ToString() => _text?.ToString() ?? "";
    }

    /// <summary>Ends a walk that must not go on.</summary>
    private sealed class StopException(SchemaError error) : Exception(error.Message)
    {
        public SchemaError Error => error;
    }
}
