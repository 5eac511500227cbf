using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Runs.Api;

/// <summary>The body of <c>POST /v1/runs</c>, checked.</summary>
internal sealed record CreateRunInput
{
    public required string WorkflowId { get; init; }

    /// <summary>An object; empty when absent.</summary>
    public required JsonElement Inputs { get; init; }

    /// <summary>An object, or undefined when absent.</summary>
    public JsonElement Configurable { get; init; }

    /// <summary>An object, or undefined when absent.</summary>
    public JsonElement Metadata { get; init; }
    public ImmutableArray<string> Tags { get; init; } = [];
    public string? TenantId { get; init; }
    public string? ScopeId { get; init; }
    public string? CallbackUrl { get; init; }

    private static readonly string[] Members = ["workflowId", "inputs", "tenantId", "scopeId", "callbackUrl", "configurable", "tags", "metadata"];

    public static CreateRunInput Parse(ReadOnlyMemory<byte> utf8)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(utf8.Span);
        }
        catch (JsonException)
        {
            throw Invalid("The body is not valid JSON.");
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("The body must be an object.");
        }

        foreach (var member in root.EnumerateObject())
        {
            if (!Members.Contains(member.Name))
            {
                throw Invalid($"Unknown member '{member.Name}'.", member.Name);
            }
        }

        return new CreateRunInput
        {
            WorkflowId = Text(root, "workflowId") is { Length: > 0 and <= 128 } id ? id : throw Invalid("workflowId must be a string of 1 to 128 characters.", "workflowId"),
            Inputs = Object(root, "inputs") ?? JsonElement.Parse("{}"),
            Configurable = Object(root, "configurable") ?? default,
            Metadata = Object(root, "metadata") ?? default,
            Tags = TagsOf(root),
            TenantId = Text(root, "tenantId"),
            ScopeId = Text(root, "scopeId"),
            CallbackUrl = Text(root, "callbackUrl"),
        };
    }

    private static ImmutableArray<string> TagsOf(JsonElement root)
    {
        if (!root.TryGetProperty("tags", out var tags))
        {
            return [];
        }

        return tags.ValueKind == JsonValueKind.Array && tags.GetArrayLength() <= 100 && tags.EnumerateArray().All(tag => tag.ValueKind == JsonValueKind.String && tag.GetString() is { Length: > 0 and <= 256 })
            ? [.. tags.EnumerateArray().Select(tag => tag.GetString()!)]
            : throw Invalid("tags must be at most 100 strings of 1 to 256 characters.", "tags");
    }

    private static string? Text(JsonElement root, string name) => !root.TryGetProperty(name, out var value)
        ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid($"{name} must be a string.", name);

    private static JsonElement? Object(JsonElement root, string name) => !root.TryGetProperty(name, out var value)
        ? null
        : value.ValueKind == JsonValueKind.Object ? value : throw Invalid($"{name} must be an object.", name);

    private static ProtocolException Invalid(string message, string? field = null) => new(ProtocolError.Validation(message, field));
}
