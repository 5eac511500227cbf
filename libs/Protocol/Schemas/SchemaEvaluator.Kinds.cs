using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>The keywords for objects, arrays, strings and numbers.</summary>
internal sealed partial class SchemaEvaluator
{
    private bool Object(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = this.Presence(node, value, errors);
        if (node.Properties is null && node.PatternProperties is null && node.AdditionalProperties is null && node.PropertyNames is null)
            return valid;

        foreach (var member in value.EnumerateObject())
        {
            if (!valid && errors is null)
                return false;

            valid &= this.Member(node, this.ReadName(member), member.Value, errors, seen);
        }

        return valid;
    }

    private bool Presence(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        var valid = true;
        if (node.MinProperties is { } min && value.GetPropertyCount() < min)
            valid = this.Fail(errors, "minProperties", $"There must be at least {min} members.");

        if (node.MaxProperties is { } max && value.GetPropertyCount() > max)
            valid = this.Fail(errors, "maxProperties", $"There may be at most {max} members.");

        foreach (var name in node.Required ?? [])
        {
            if (!value.TryGetProperty(name, out _))
                valid = this.Fail(errors, "required", $"Member '{name}' is missing.");
        }

        if (node.DependentRequired is { } dependent)
        {
            foreach (var (present, names) in dependent)
            {
                if (!value.TryGetProperty(present, out _))
                    continue;

                foreach (var name in names)
                {
                    if (!value.TryGetProperty(name, out _))
                        valid = this.Fail(errors, "dependentRequired", $"Member '{name}' is missing, which '{present}' requires.");
                }
            }
        }

        return valid;
    }

    private bool Member(SchemaNode node, string name, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = true;
        var known = false;
        this.path.Push(name);
        if (node.Properties is { } properties && properties.TryGetValue(name, out var schema))
        {
            known = true;
            valid &= this.Child("properties", schema, value, errors, $"Member '{name}' is not allowed here.");
        }

        foreach (var (pattern, matching) in node.PatternProperties ?? [])
        {
            if (!this.IsMatch(pattern, name))
                continue;

            known = true;
            valid &= this.Child("patternProperties", matching, value, errors, $"Member '{name}' is not allowed here.");
        }

        if (!known && node.AdditionalProperties is { } additional)
        {
            known = true;
            valid &= this.Child("additionalProperties", additional, value, errors, $"Member '{name}' is not known here.");
        }

        if (known)
            seen?.Add(name);

        if (node.PropertyNames is { } names && !this.Evaluate(names, NameAsValue(name), null, null))
            valid = this.Fail(errors, "propertyNames", $"'{name}' is not allowed as the name of a member.");

        this.path.Pop();
        return valid;
    }

    private bool Array(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated? seen)
    {
        var valid = true;
        var count = value.GetArrayLength();
        if (node.MinItems is { } min && count < min)
            valid = this.Fail(errors, "minItems", $"There must be at least {min} items.");

        if (node.MaxItems is { } max && count > max)
            valid = this.Fail(errors, "maxItems", $"There may be at most {max} items.");

        if (node.UniqueItems && !this.AreUnique(value))
            valid = this.Fail(errors, "uniqueItems", "Two items are equal.");

        if (node.PrefixItems is null && node.Items is null && node.Contains is null)
            return valid;

        var index = 0;
        var contained = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (!valid && errors is null)
                return false;

            this.path.Push(index);
            if (node.PrefixItems is { } prefix && index < prefix.Length)
            {
                valid &= this.Child("prefixItems", prefix[index], item, errors, "This item is not allowed.");
                seen?.Add(index);
            }
            else if (node.Items is { } rest)
            {
                valid &= this.Child("items", rest, item, errors, "There are too many items.");
            }

            if (node.Contains is { } wanted && this.Evaluate(wanted, item, null, null))
            {
                contained++;
                seen?.Add(index);
            }

            this.path.Pop();
            index++;
        }

        if (node.Items is not null)
            seen?.AddFirst(count);

        return (node.Contains is null || this.ContainsEnough(node, contained, errors)) && valid;
    }

    private bool ContainsEnough(SchemaNode node, int contained, List<SchemaError>? errors)
    {
        if (contained < (node.MinContains ?? 1))
            return this.Fail(errors, node.MinContains is null ? "contains" : "minContains", "Too few items are of the required shape.");

        return node.MaxContains is not { } max || contained <= max || this.Fail(errors, "maxContains", "Too many items are of the limited shape.");
    }

    private bool Unevaluated(SchemaNode node, JsonElement value, List<SchemaError>? errors, Evaluated seen)
    {
        var valid = true;
        if (node.UnevaluatedProperties is { } properties && value.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in value.EnumerateObject())
            {
                var name = this.ReadName(member);
                if (seen.Contains(name))
                    continue;

                this.path.Push(name);
                valid &= this.Child("unevaluatedProperties", properties, member.Value, errors, $"Member '{name}' is not known here.");
                this.path.Pop();
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
                    this.path.Push(index);
                    valid &= this.Child("unevaluatedItems", items, item, errors, "There are too many items.");
                    this.path.Pop();
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

        var text = this.ReadString(value);
        var valid = true;
        if (node.MinLength is { } min && CodePoints(text) < min)
            valid = this.Fail(errors, "minLength", min == 1 ? "The string must not be empty." : $"The string must have at least {min} characters.");

        if (node.MaxLength is { } max && CodePoints(text) > max)
            valid = this.Fail(errors, "maxLength", $"The string may have at most {max} characters.");

        if (node.Pattern is { } pattern && !this.IsMatch(pattern, text))
            valid = this.Fail(errors, "pattern", "The string does not have the required form.");

        return valid;
    }

    private bool Number(SchemaNode node, JsonElement value, List<SchemaError>? errors)
    {
        if (node.Minimum is null && node.Maximum is null && node.ExclusiveMinimum is null && node.ExclusiveMaximum is null && node.MultipleOf is null)
            return true;

        var number = this.ReadNumber(value);
        var valid = true;
        if (node.Minimum is { } minimum && number.CompareTo(minimum) < 0)
            valid = this.Fail(errors, "minimum", "The number is too small.");

        if (node.Maximum is { } maximum && number.CompareTo(maximum) > 0)
            valid = this.Fail(errors, "maximum", "The number is too large.");

        if (node.ExclusiveMinimum is { } above && number.CompareTo(above) <= 0)
            valid = this.Fail(errors, "exclusiveMinimum", "The number is too small.");

        if (node.ExclusiveMaximum is { } below && number.CompareTo(below) >= 0)
            valid = this.Fail(errors, "exclusiveMaximum", "The number is too large.");

        if (node.MultipleOf is { } divisor && !number.IsMultipleOf(divisor))
            valid = this.Fail(errors, "multipleOf", "The number is not a multiple of the required one.");

        return valid;
    }

    /// <summary>Applies a schema to a member or item; where it is <c>false</c>, the error names the keyword that excludes it.</summary>
    private bool Child(string keyword, SchemaNode schema, JsonElement value, List<SchemaError>? errors, string excluded) =>
        schema.Always is { } always ? always || this.Fail(errors, keyword, excluded) : this.Evaluate(schema, value, errors, null);

    private bool AreUnique(JsonElement array)
    {
        var known = new HashSet<JsonElement>(array.GetArrayLength(), new ByValue(this));
        foreach (var item in array.EnumerateArray())
        {
            if (!known.Add(item))
                return false;
        }

        return true;
    }

    private static int CodePoints(string text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                count--;
        }

        return count;
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
                hash + HashCode.Combine(evaluator.ReadName(member), this.GetHashCode(member.Value))),
            JsonValueKind.Array => value.EnumerateArray().Aggregate(2, (hash, item) => HashCode.Combine(hash, this.GetHashCode(item))),
            JsonValueKind.String => evaluator.ReadString(value).GetHashCode(StringComparison.Ordinal),
            JsonValueKind.Number => value.GetDouble().GetHashCode(),
            var other => (int)other,
        };
    }
}
