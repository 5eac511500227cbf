using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Checks <c>configurable</c> against the table of reserved keys and takes out what the server itself acts on.</summary>
internal static class ConfigurableReader
{
    public static RunRequestOptions Read(JsonElement configurable, RunOptionPolicy policy, RequestReader reader)
    {
        // Decided before the value is looked at, and before any other key (spec/http-core.md 5.4).
        if (!policy.IsTestKey && configurable.TryGetProperty(ReservedOptions.MockProvider, out var mock))
            reader.Fail(MockProviderForbidden(mock, policy));

        foreach (var option in ReservedOptions.All)
        {
            if (option.IsLater && !IsHonoured(option, policy))
                continue;

            if (TryFind(configurable, option.Key, reader, out var value) && Check(option, value, policy) is { } error)
                reader.Fail(error);
        }

        if (reader.Error is not null)
            return new RunRequestOptions { Configurable = configurable };

        var limit = Find(configurable, ReservedOptions.RecursionLimit) is { } wish && JsonNumber.TryRead(wish, out var number)
            ? number.ToInt64()
            : long.MaxValue;
        var timeout = policy.MaxRunDurationMs is { } ceiling && Find(configurable, ReservedOptions.RunTimeoutMs) is { } time
            ? (long?)Math.Min(Math.Min(time.GetDouble(), long.MaxValue / 2), ceiling)
            : null;
        var provider = Text(configurable, ReservedOptions.AiProvider);
        var credential = policy.ByokProviders is null ? null : Text(configurable, ReservedOptions.AiCredentialRef);
        if (credential is not null && provider is not null && !policy.ByokProviders!.Contains(provider))
        {
            reader.Fail(new ProtocolError(
                ErrorCodes.CredentialForbidden,
                "This provider does not take credentials of the caller.",
                new JsonObject { ["provider"] = provider }));
        }

        return new RunRequestOptions
        {
            Configurable = configurable,
            RecursionLimit = (int)Math.Min(limit, policy.MaxNodeExecutions),
            RunTimeoutMs = timeout,
            MockProvider = Find(configurable, ReservedOptions.MockProvider) is { } choice
                ? new MockProviderChoice(choice.GetProperty("id").GetString()!, choice.TryGetProperty("config", out var config) ? config : null)
                : null,
            AiProvider = provider,
            AiCredentialRef = credential,
        };
    }

    private static bool IsHonoured(ReservedOption option, RunOptionPolicy policy) =>
        option.Key == ReservedOptions.RunTimeoutMs ? policy.MaxRunDurationMs is not null : policy.LaterKeys.Contains(option.Key);

    private static ProtocolError MockProviderForbidden(JsonElement mock, RunOptionPolicy policy)
    {
        var details = new JsonObject { ["supportedProviders"] = Strings(policy.MockProviders) };
        if (mock.ValueKind == JsonValueKind.Object && mock.TryGetProperty("id", out var id)
            && id.ValueKind == JsonValueKind.String && id.GetString() is { Length: <= RunOptionLimits.MaxMockProviderIdLength } requested)
        {
            details["requestedProvider"] = requested;
        }

        return new ProtocolError(ErrorCodes.MockProviderForbidden, "Only test keys may use mock providers.", details);
    }

    private static ProtocolError? Check(ReservedOption option, JsonElement value, RunOptionPolicy policy) => option.Kind switch
    {
        OptionKind.WholeNumber or OptionKind.Number => CheckNumber(option, value),
        OptionKind.Text => CheckText(option, value, policy),
        OptionKind.Choice => value.ValueKind == JsonValueKind.String && option.Values.Contains(value.GetString()!)
            ? null
            : Wrong(option, $"must be one of: {string.Join(", ", option.Values)}"),
        OptionKind.TextMap => value.ValueKind == JsonValueKind.Object
            && value.EnumerateObject().All(member => member.Value.ValueKind == JsonValueKind.String)
            ? null
            : Wrong(option, "must be an object whose members are strings"),
        OptionKind.MockProvider => CheckMockProvider(option, value, policy),
        OptionKind.Budget => SchemaRegistry.Published("budget-policy").IsValid(value) ? null : Wrong(option, "is not a budget policy"),
        _ => null,
    };

    private static ProtocolError? CheckNumber(ReservedOption option, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number
            && JsonNumber.TryRead(value, out var number)
            && (option.Kind == OptionKind.Number || number.IsInteger)
            && value.GetDouble() is var approximate
            && !(approximate < option.Min)
            && !(approximate > option.Max))
        {
            return null;
        }

        var kind = option.Kind == OptionKind.WholeNumber ? "a whole number" : "a number";
        var range = (option.Min, option.Max) switch
        {
            ({ } min, { } max) => $" from {min} to {max}",
            ({ } min, null) => $" of at least {min}",
            _ => "",
        };
        var error = Wrong(option, $"must be {kind}{range}");
        if (value.ValueKind == JsonValueKind.Number && value.GetRawText() is { Length: <= 32 } text)
            error.Details!["value"] = JsonNode.Parse(text);
        if (option.Min is { } lowest)
            error.Details!["min"] = (long)lowest;
        if (option.Max is { } highest)
            error.Details!["max"] = (long)highest;

        return error;
    }

    private static ProtocolError? CheckText(ReservedOption option, JsonElement value, RunOptionPolicy policy)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } text)
            return Wrong(option, "must be a string that is not empty");

        if (option.Key != ReservedOptions.AiProvider || policy.AiProviders?.Contains(text) != false)
            return null;

        var error = Wrong(option, "is not a provider of this server");
        error.Details!["supported"] = Strings(policy.AiProviders);
        return error;
    }

    private static ProtocolError? CheckMockProvider(ReservedOption option, JsonElement value, RunOptionPolicy policy)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return Wrong(option, "must be an object");

        var reader = RequestReader.Nested(value, $"configurable.{option.Key}");
        reader.RequireOnly("id", "config");
        var id = reader.RequiredText("id", RunOptionLimits.MaxMockProviderIdLength);
        reader.Object("config");
        if (reader.Error is not null)
            return reader.Error;

        return policy.MockProviders.Contains(id)
            ? null
            : new ProtocolError(ErrorCodes.UnsupportedMockProvider, "This server has no such mock provider.", new JsonObject
            {
                ["requestedProvider"] = id,
                ["supportedProviders"] = Strings(policy.MockProviders),
            });
    }

    /// <summary>
    /// Value of a key. A dotted one may be spelled flat (<c>"ai.provider": …</c>) or nested (<c>"ai": {"provider": …}</c>);
    /// both at once would leave it to chance which one counts.
    /// </summary>
    private static bool TryFind(JsonElement configurable, string key, RequestReader reader, out JsonElement value)
    {
        var isFlat = configurable.TryGetProperty(key, out value);
        if (key.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var dot) || !configurable.TryGetProperty(key[..dot], out var family))
            return isFlat;

        if (family.ValueKind != JsonValueKind.Object)
        {
            reader.Fail($"configurable.{key[..dot]}", $"'configurable.{key[..dot]}' must be an object.");
            return false;
        }

        if (!family.TryGetProperty(key[(dot + 1)..], out var nested))
            return isFlat;

        if (isFlat)
            reader.Fail($"configurable.{key}", $"'{key}' is given twice, flat and nested.");

        value = nested;
        return true;
    }

    private static JsonElement? Find(JsonElement configurable, string key) =>
        configurable.TryGetProperty(key, out var flat) ? flat
        : key.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && configurable.TryGetProperty(key[..dot], out var family) && family.TryGetProperty(key[(dot + 1)..], out var nested) ? nested
        : null;

    private static string? Text(JsonElement configurable, string key) => Find(configurable, key)?.GetString();

    private static ProtocolError Wrong(ReservedOption option, string what) => new(
        ErrorCodes.ValidationError,
        $"'configurable.{option.Key}' {what}.",
        new JsonObject { ["field"] = $"configurable.{option.Key}", ["key"] = option.Key });

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
