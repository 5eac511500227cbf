using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>The keywords for objects, arrays, strings and numbers.</summary>
internal sealed partial class SchemaEvaluator
{
    private bool Object(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = Presence(node, value, errors);
        if (node.Properties is null && node.PatternProperties is null && node.AdditionalProperties is null && node.PropertyNames is null)
            return valid;

        foreach (var member in value.EnumerateObject())
        {
            if (!valid && errors is null)
                return false;

            valid &= Member(node, ReadName(member), member.Value, errors, seen);
        }

        return valid;
    }

    private bool Presence(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        var valid = true;
        if (node.MinProperties is { } min && value.GetPropertyCount() < min)
            valid = Fail(errors, "minProperties", $"There must be at least {min} members.");

        if (node.MaxProperties is { } max && value.GetPropertyCount() > max)
            valid = Fail(errors, "maxProperties", $"There may be at most {max} members.");

        if (node.Required is { } required)
            Charge(CostOfFinding(required.Length, value));

        foreach (var name in node.Required ?? [])
        {
            if (!value.TryGetProperty(name, out _))
                valid = Fail(errors, "required", $"Member '{name}' is missing.");
        }

        if (node.DependentRequired is { } dependent)
        {
            Charge(CostOfFinding(dependent.Sum(entry => 1 + entry.Value.Length), value));
            foreach (var (present, names) in dependent)
            {
                if (!value.TryGetProperty(present, out _))
                    continue;

                foreach (var name in names)
                {
                    if (!value.TryGetProperty(name, out _))
                        valid = Fail(errors, "dependentRequired", $"Member '{name}' is missing, which '{present}' requires.");
                }
            }
        }

        return valid;
    }

    private bool Member(SchemaNode node, string name, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        Charge(1);
        var valid = true;
        var known = false;
        _path.Push(name);
        if (node.Properties is { } properties && properties.TryGetValue(name, out var schema))
        {
            known = true;
            valid &= Child("properties", schema, value, errors, $"Member '{name}' is not allowed here.");
        }

        foreach (var (pattern, matching) in node.PatternProperties ?? [])
        {
            if (!IsMatch(pattern, name))
                continue;

            known = true;
            valid &= Child("patternProperties", matching, value, errors, $"Member '{name}' is not allowed here.");
        }

        if (!known && node.AdditionalProperties is { } additional)
        {
            known = true;
            valid &= Child("additionalProperties", additional, value, errors, $"Member '{name}' is not known here.");
        }

        if (known)
            seen?.Add(name);

        if (node.PropertyNames is { } names && !Evaluate(names, NameAsValue(name), null, null))
            valid = Fail(errors, "propertyNames", $"'{name}' is not allowed as the name of a member.");

        _path.Pop();
        return valid;
    }

    private bool Array(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = true;
        var count = value.GetArrayLength();
        if (node.MinItems is { } min && count < min)
            valid = Fail(errors, "minItems", $"There must be at least {min} items.");

        if (node.MaxItems is { } max && count > max)
            valid = Fail(errors, "maxItems", $"There may be at most {max} items.");

        if (node.UniqueItems && !AreUnique(value))
            valid = Fail(errors, "uniqueItems", "Two items are equal.");

        if (node.PrefixItems is null && node.Items is null && node.Contains is null)
            return valid;

        var index = 0;
        var contained = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (!valid && errors is null)
                return false;

            Charge(1);
            _path.Push(index);
            if (node.PrefixItems is { } prefix && index < prefix.Length)
            {
                valid &= Child("prefixItems", prefix[index], item, errors, "This item is not allowed.");
                seen?.Add(index);
            }
            else if (node.Items is { } rest)
            {
                valid &= Child("items", rest, item, errors, "There are too many items.");
            }

            if (node.Contains is { } wanted && Evaluate(wanted, item, null, null))
            {
                contained++;
                seen?.Add(index);
            }

            _path.Pop();
            index++;
        }

        if (node.Items is not null)
            seen?.AddFirst(count);

        return (node.Contains is null || ContainsEnough(node, contained, errors)) && valid;
    }

    private bool ContainsEnough(SchemaNode node, int contained, List<SchemaError>? errors)
    {
        if (contained < (node.MinContains ?? 1))
            return Fail(errors, node.MinContains is null ? "contains" : "minContains", "Too few items are of the required shape.");

        return node.MaxContains is not { } max || contained <= max || Fail(errors, "maxContains", "Too many items are of the limited shape.");
    }

    private bool Unevaluated(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated seen)
    {
        var valid = true;
        if (node.UnevaluatedProperties is { } properties && value.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in value.EnumerateObject())
            {
                var name = ReadName(member);
                if (seen.Contains(name))
                    continue;

                _path.Push(name);
                valid &= Child("unevaluatedProperties", properties, member.Value, errors, $"Member '{name}' is not known here.");
                _path.Pop();
                seen.Add(name);
            }
        }

        if (node.UnevaluatedItems is { } items && value.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                if (!seen.Contains(index))
                {
                    _path.Push(index);
                    valid &= Child("unevaluatedItems", items, item, errors, "There are too many items.");
                    _path.Pop();
                }

                index++;
            }

            seen.AddFirst(index);
        }

        return valid;
    }

    private bool String(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        if (node.MinLength is null && node.MaxLength is null && node.Pattern is null)
            return true;

        var text = ReadString(value);
        var valid = true;
        if (node.MinLength is { } min && CodePoints.Count(text) < min)
        {
            valid = min == 1
                ? Fail(errors, "minLength", "The string must not be empty.")
                : Fail(errors, "minLength", $"The string must have at least {min} characters.");
        }

        if (node.MaxLength is { } max && CodePoints.Count(text) > max)
            valid = Fail(errors, "maxLength", $"The string may have at most {max} characters.");

        if (node.Pattern is { } pattern && !IsMatch(pattern, text))
            valid = Fail(errors, "pattern", "The string does not have the required form.");

        return valid;
    }

    private bool Number(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        if (node.Minimum is null && node.Maximum is null && node.ExclusiveMinimum is null && node.ExclusiveMaximum is null && node.MultipleOf is null)
            return true;

        var number = ReadNumber(value);
        var valid = true;
        if (node.Minimum is { } minimum && number.CompareTo(minimum) < 0)
            valid = Fail(errors, "minimum", "The number is too small.");

        if (node.Maximum is { } maximum && number.CompareTo(maximum) > 0)
            valid = Fail(errors, "maximum", "The number is too large.");

        if (node.ExclusiveMinimum is { } above && number.CompareTo(above) <= 0)
            valid = Fail(errors, "exclusiveMinimum", "The number is too small.");

        if (node.ExclusiveMaximum is { } below && number.CompareTo(below) >= 0)
            valid = Fail(errors, "exclusiveMaximum", "The number is too large.");

        if (node.MultipleOf is { } divisor && !number.IsMultipleOf(divisor))
            valid = Fail(errors, "multipleOf", "The number is not a multiple of the required one.");

        return valid;
    }

    /// <summary>Applies a schema to a member or item; where it is <c>false</c>, the error names the keyword that excludes it.</summary>
    private bool Child(string keyword, SchemaNode schema, JsonElement value, List<SchemaError>? errors, string excluded) =>
        schema.Always is { } always ? always || Fail(errors, keyword, excluded) : Evaluate(schema, value, errors, null);

    private bool AreUnique(JsonElement array)
    {
        Charge(JsonMarshal.GetRawUtf8Value(array).Length >> 6);
        var known = new HashSet<JsonElement>(array.GetArrayLength(), new ByValue(this));
        foreach (var item in array.EnumerateArray())
        {
            if (!known.Add(item))
                return false;
        }

        return true;
    }

    private static JsonElement NameAsValue(string name) => JsonSerializer.SerializeToElement(name, JsonNames.Default.String);

    /// <summary>Equality of JSON values; hashes so that equal numbers and reordered objects agree.</summary>
    private sealed class ByValue(SchemaEvaluator evaluator) : IEqualityComparer<JsonElement>
    {
        public bool Equals(JsonElement x, JsonElement y)
        {
            evaluator.Charge(1);
            return evaluator.AreEqual(x, y);
        }

        public int GetHashCode([DisallowNull] JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().Aggregate(1, (hash, member) =>
                hash + HashCode.Combine(evaluator.ReadName(member), GetHashCode(member.Value))),
            JsonValueKind.Array => value.EnumerateArray().Aggregate(2, (hash, item) => HashCode.Combine(hash, GetHashCode(item))),
            JsonValueKind.String => evaluator.ReadString(value).GetHashCode(StringComparison.Ordinal),
            JsonValueKind.Number => value.GetDouble().GetHashCode(),
            var other => (int)other,
        };
    }
}
