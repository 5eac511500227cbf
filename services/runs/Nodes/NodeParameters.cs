using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>
/// Reads the parameters of a node: an input port overrides the config member of the same name, a JSON null counts as
/// absent. The first parameter of the wrong kind or out of range is kept in <see cref="Error"/>; a handler reads all of
/// them first and then checks once.
/// </summary>
internal sealed class NodeParameters(NodeContext context)
{
    /// <summary>Code of the error for a parameter that a node cannot work with; another attempt would read the same.</summary>
    public const string InvalidCode = "config_invalid";

    /// <summary>The first problem found, or null.</summary>
    public NodeError? Error { get; private set; }

    /// <summary>Wraps <see cref="Error"/>.</summary>
    public bool HasFailed([NotNullWhen(true)] out NodeOutcome? outcome)
    {
        outcome = Error is null ? null : new NodeOutcome.Failed(Error);
        return outcome is not null;
    }

    /// <summary>The value of the first of the names that is present and not null; for each name the port wins over the config.</summary>
    public JsonElement? Find(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (FindPort(name) is { } port)
            {
                return port;
            }

            if (FindConfig(name) is { } member)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>The value given for a name, JSON null included; null when neither the port nor the config member exists.</summary>
    public JsonElement? FindGiven(string name) =>
        context.Inputs.TryGetValue(name, out var port) ? port
        : context.Node.Config.ValueKind == JsonValueKind.Object && context.Node.Config.TryGetProperty(name, out var member) ? member
        : null;

    /// <summary>The value of an input port, null when it is absent or JSON null.</summary>
    public JsonElement? FindPort(string name) =>
        context.Inputs.TryGetValue(name, out var port) && port.ValueKind is not JsonValueKind.Null and not JsonValueKind.Undefined ? port : null;

    /// <summary>The value of a config member, null when it is absent or JSON null.</summary>
    public JsonElement? FindConfig(string name) =>
        context.Node.Config.ValueKind == JsonValueKind.Object
        && context.Node.Config.TryGetProperty(name, out var member)
        && member.ValueKind != JsonValueKind.Null ? member : null;

    /// <summary>A string, or null when absent.</summary>
    public string? String(params ReadOnlySpan<string> names)
    {
        switch (Find(names))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } value:
                return value.GetString();
            default:
                Reject(names[0], "must be a string");
                return null;
        }
    }

    /// <summary>A string that must be present and not empty; empty when it is not.</summary>
    public string RequiredString(params ReadOnlySpan<string> names)
    {
        var value = String(names);
        if (string.IsNullOrEmpty(value))
        {
            Reject(names[0], "must be a non-empty string");
        }

        return value ?? "";
    }

    /// <summary>
    /// A string of the config alone, or null when absent. Expressions and modes are read this way: what a port carries is data
    /// and never becomes code.
    /// </summary>
    public string? ConfigString(string name)
    {
        switch (FindConfig(name))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } value:
                return value.GetString();
            default:
                Reject(name, "must be a string");
                return null;
        }
    }

    /// <summary>A boolean of the config alone; the fallback when absent.</summary>
    public bool ConfigBoolean(string name, bool fallback)
    {
        switch (FindConfig(name))
        {
            case null:
                return fallback;
            case { ValueKind: JsonValueKind.True }:
                return true;
            case { ValueKind: JsonValueKind.False }:
                return false;
            default:
                Reject(name, "must be true or false");
                return fallback;
        }
    }

    /// <summary>An integer within bounds; the fallback when absent. <c>3.0</c> counts as 3, <c>3.5</c> is refused.</summary>
    public long Integer(string name, long min, long max, long fallback)
    {
        if (Find(name) is not { } value)
        {
            return fallback;
        }

        if (!TryReadInteger(value, out var integer) || integer < min || integer > max)
        {
            Reject(name, $"must be an integer from {min} to {max}");
            return fallback;
        }

        return integer;
    }

    /// <summary>A boolean; the fallback when absent.</summary>
    public bool Boolean(string name, bool fallback)
    {
        switch (Find(name))
        {
            case null:
                return fallback;
            case { ValueKind: JsonValueKind.True }:
                return true;
            case { ValueKind: JsonValueKind.False }:
                return false;
            default:
                Reject(name, "must be true or false");
                return fallback;
        }
    }

    /// <summary>One of the listed words; the first of them when absent.</summary>
    public string OneOf(string name, params ReadOnlySpan<string> words)
    {
        if (Find(name) is not { } value)
        {
            return words[0];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            foreach (var word in words)
            {
                if (value.ValueEquals(word))
                {
                    return word;
                }
            }
        }

        Reject(name, $"must be one of {string.Join(", ", words!)}");
        return words[0];
    }

    /// <summary>An object, or null when absent.</summary>
    public JsonElement? Object(string name)
    {
        var value = Find(name);
        if (value is { ValueKind: not JsonValueKind.Object })
        {
            Reject(name, "must be an object");
            return null;
        }

        return value;
    }

    /// <summary>Records that a parameter is unusable, unless something was found before.</summary>
    public void Reject(string name, string problem) => Error ??= new NodeError(
        InvalidCode,
        $"'{name}' of node '{context.Node.Id}' {problem}.",
        Retryable: false,
        NodeJson.Object(writer => writer.WriteString("parameter", name)));

    private static bool TryReadInteger(JsonElement value, out long integer)
    {
        integer = 0;
        if (value.ValueKind != JsonValueKind.Number)
        {
            return false;
        }

        if (value.TryGetInt64(out integer))
        {
            return true;
        }

        // Within 2^53 a whole double is exact; beyond, nobody meant an integer.
        if (!value.TryGetDouble(out var number) || Math.Abs(number) > 9_007_199_254_740_992 || Math.Floor(number) != number)
        {
            return false;
        }

        integer = (long)number;
        return true;
    }
}
