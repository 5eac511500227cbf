using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>
/// Reads the members of a request body and remembers the first thing that is wrong. Messages name members, never values: a
/// client may have put a secret there.
/// </summary>
internal sealed class RequestReader
{
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    private readonly JsonElement _root;
    private readonly string _prefix;

    private RequestReader(JsonElement root, string prefix)
    {
        _root = root;
        _prefix = prefix;
    }

    /// <summary>What is wrong, or null.</summary>
    public ProtocolError? Error { get; private set; }

    /// <summary>Opens a body.</summary>
    /// <param name="utf8">The body as it was sent.</param>
    /// <param name="isOptional">True when no body at all stands for <c>{}</c>.</param>
    /// <param name="reader">Reader of the body's members.</param>
    /// <param name="error">Why it cannot be read.</param>
    public static bool TryOpen(
        ReadOnlySpan<byte> utf8, bool isOptional, [NotNullWhen(true)] out RequestReader? reader, [NotNullWhen(false)] out ProtocolError? error)
    {
        (reader, error) = (null, null);
        if (utf8.IsEmpty && isOptional)
        {
            reader = new RequestReader(EmptyObject, "");
            return true;
        }

        if (!StrictJson.TryParse(utf8, RunOptionLimits.Body, out var root, out var problem))
        {
            error = problem.ToProtocolError();
            return false;
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            error = ProtocolError.Validation("The request body must be a JSON object.");
            return false;
        }

        reader = new RequestReader(root, "");
        return true;
    }

    /// <summary>Reader of a nested object; errors name its members with <paramref name="name"/> in front.</summary>
    public static RequestReader Nested(JsonElement value, string name) => new(value, $"{name}.");

    /// <summary>Refuses members that are not listed.</summary>
    public void RequireOnly(params ReadOnlySpan<string> members)
    {
        foreach (var member in _root.EnumerateObject())
        {
            if (!members.Contains(member.Name))
            {
                Fail(_prefix + Shorten(member.Name), "The request has a member that is not known.");
                return;
            }
        }
    }

    public bool Has(string name) => _root.TryGetProperty(name, out _);

    /// <summary>Value of any kind; null when absent.</summary>
    public JsonElement? Any(string name) => _root.TryGetProperty(name, out var value) ? value : null;

    /// <summary>A string of 1 to <paramref name="maxLength"/> code points; null when absent or wrong.</summary>
    public string? Text(string name, int maxLength, int minLength = 1)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;

        if (value.ValueKind == JsonValueKind.String
            && value.GetString() is { } text
            && CodePoints.Count(text) is var length
            && length >= minLength
            && length <= maxLength)
        {
            return text;
        }

        Fail(_prefix + name, $"'{_prefix}{name}' must be a string of {minLength} to {maxLength} characters.");
        return null;
    }

    /// <summary>Like <see cref="Text"/>, and an error when absent.</summary>
    public string RequiredText(string name, int maxLength)
    {
        if (!Has(name))
            Fail(_prefix + name, $"'{_prefix}{name}' is missing.");

        return Text(name, maxLength) ?? "";
    }

    /// <summary>One of some texts; null when absent or wrong.</summary>
    public string? Choice(string name, params ReadOnlySpan<string> values)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;

        if (value.ValueKind == JsonValueKind.String && values.Contains(value.GetString()))
            return value.GetString();

        Fail(_prefix + name, $"'{_prefix}{name}' must be one of: {string.Join(", ", values)}.");
        return null;
    }

    /// <summary>An object; null when absent or wrong.</summary>
    public JsonElement? Object(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;

        if (value.ValueKind == JsonValueKind.Object)
            return value;

        Fail(_prefix + name, $"'{_prefix}{name}' must be an object.");
        return null;
    }

    /// <summary>An array; null when absent or wrong.</summary>
    public JsonElement? Array(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;

        if (value.ValueKind == JsonValueKind.Array)
            return value;

        Fail(_prefix + name, $"'{_prefix}{name}' must be a list.");
        return null;
    }

    /// <summary>A whole number from 0, saturated at <see cref="long.MaxValue"/>; null when absent or wrong.</summary>
    public long? Sequence(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;

        if (value.ValueKind == JsonValueKind.Number && JsonNumber.TryRead(value, out var number) && number is { IsInteger: true, IsNegative: false })
            return number.ToInt64();

        Fail(_prefix + name, $"'{_prefix}{name}' must be a whole number, zero or more.");
        return null;
    }

    public void Fail(string field, string message) => Fail(ProtocolError.Validation(message, field));

    public void Fail(ProtocolError error) => Error ??= error;

    /// <summary>A name that a client made up, fit to be shown.</summary>
    private static string Shorten(string name) => name.Length <= 64 ? name : name[..63] + "…";
}
