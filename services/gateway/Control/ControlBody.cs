using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Gateway.Control;

/// <summary>
/// Reads the members of a request body and collects everything that is wrong with it. Members that nobody knows are ignored. Issues
/// name members, never values: there may be a secret in them.
/// </summary>
internal sealed class ControlBody
{
    private static readonly JsonLimits Limits = new(MaxBytes: 7 * 1024 * 1024, MaxDepth: 64);
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}");

    private readonly JsonArray _issues;
    private readonly string[] _path;

    private ControlBody(JsonElement root)
        : this(root, [], [])
    {
    }

    private ControlBody(JsonElement root, JsonArray issues, string[] path) => (Root, _issues, _path) = (root, issues, path);

    /// <summary>The body, an object.</summary>
    public JsonElement Root { get; }

    /// <exception cref="ProtocolException">400: not a JSON object.</exception>
    public static async Task<ControlBody> ReadAsync(OperationCall call, CancellationToken cancellationToken, bool isOptional = false)
    {
        var utf8 = await call.ReadBody(cancellationToken);
        if (utf8.IsEmpty && isOptional)
            return new ControlBody(EmptyObject);
        if (!StrictJson.TryParse(utf8.Span, Limits, out var root, out var problem))
            throw new ProtocolException(problem.ToProtocolError());

        return root.ValueKind == JsonValueKind.Object
            ? new ControlBody(root)
            : throw new ProtocolException(ProtocolError.Validation("The request body must be a JSON object."));
    }

    public bool Has(string name) => Root.TryGetProperty(name, out _);

    /// <summary>An object in the body; null when absent or wrong. What is wrong with its members is an issue of the whole body.</summary>
    public ControlBody? Object(string name)
    {
        if (!Root.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new ControlBody(value, _issues, [.. _path, name]);

        Fail(name, "invalid_type", $"'{name}' must be an object.");
        return null;
    }

    /// <summary>A string; empty when absent or wrong.</summary>
    public string Text(string name, int maxLength, bool isRequired = false)
    {
        if (!Root.TryGetProperty(name, out var value))
        {
            if (isRequired)
                Fail(name, "required", $"'{name}' is missing.");
        }
        else if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= maxLength && (text.Length > 0 || !isRequired))
        {
            return text;
        }
        else
        {
            Fail(name, "invalid_type", $"'{name}' must be a string of at most {maxLength} characters.");
        }

        return "";
    }

    /// <summary>A whole number; null when absent or wrong.</summary>
    public int? Integer(string name, int min, int max)
    {
        if (!Root.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max)
            return number;

        Fail(name, "invalid_type", $"'{name}' must be a whole number from {min} to {max}.");
        return null;
    }

    /// <summary>Strings; empty when absent or wrong.</summary>
    public IReadOnlyList<string> Texts(string name, int maxCount, bool isRequired = false)
    {
        if (!Root.TryGetProperty(name, out var value))
        {
            if (isRequired)
                Fail(name, "required", $"'{name}' is missing.");
            return [];
        }

        if (value.ValueKind == JsonValueKind.Array
            && value.GetArrayLength() <= maxCount
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        }

        Fail(name, "invalid_type", $"'{name}' must be an array of at most {maxCount} strings.");
        return [];
    }

    /// <summary>One of some texts; null when absent or wrong.</summary>
    public string? Choice(string name, params ReadOnlySpan<string> values)
    {
        if (!Root.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String && values.Contains(value.GetString()))
            return value.GetString();

        Fail(name, "invalid_value", $"'{name}' must be one of: {string.Join(", ", values)}.");
        return null;
    }

    /// <summary>A point in time; null when absent or wrong.</summary>
    public DateTimeOffset? Time(string name)
    {
        if (!Root.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: < 64 } text
            && text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        Fail(name, "invalid_value", $"'{name}' must be a point in time such as 2027-01-31T12:00:00Z.");
        return null;
    }

    public void Fail(string name, string code, string message) => _issues.Add(ControlErrors.Issue([.. _path, name], code, message));

    /// <exception cref="ProtocolException">400: something is wrong.</exception>
    public void ThrowIfInvalid()
    {
        if (_issues.Count > 0)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.ValidationError, (string)_issues[0]!["message"]!, new JsonObject { ["issues"] = _issues.DeepClone() }));
        }
    }
}
