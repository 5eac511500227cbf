using System.Collections.Immutable;
using System.IO.Enumeration;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>Who may call a provider, and with whose key.</summary>
internal enum ProviderPolicy
{
    Optional,
    Disabled,

    /// <summary>Only with a key of the caller's organization.</summary>
    Required,

    /// <summary>Only the models that are listed.</summary>
    Restricted,
}

/// <summary>A provider that the operator has configured.</summary>
/// <param name="Id">What workflows call it.</param>
/// <param name="Kind"><c>anthropic</c> or <c>openai</c>: whose protocol it speaks.</param>
/// <param name="Url">Base of its addresses; null = the vendor's own.</param>
internal sealed record AiProvider(string Id, string Kind, Uri? Url)
{
    /// <summary>The operator's key; null = there is none.</summary>
    public string? Key { get; init; }

    /// <summary>True for a provider that takes no key at all.</summary>
    public bool IsKeyless { get; init; }
    public ProviderPolicy Policy { get; init; }

    /// <summary>Globs.</summary>
    public ImmutableArray<string> AllowedModels { get; init; } = [];
    public string? DefaultModel { get; init; }

    /// <summary>Globs of models and what a million tokens costs, in and out.</summary>
    public ImmutableArray<(string Model, double Input, double Output)> Prices { get; init; } = [];

    /// <summary>What a call has cost in US dollars; null when nobody has said.</summary>
    public double? PriceOf(string model, ModelUsage usage)
    {
        foreach (var (glob, input, output) in Prices)
        {
            if (Matches(glob, model))
                return ((usage.InputTokens * input) + (usage.OutputTokens * output)) / 1_000_000;
        }

        return null;
    }

    public bool Allows(string model) => AllowedModels.Any(glob => Matches(glob, model));

    private static bool Matches(string glob, string model) => FileSystemName.MatchesSimpleExpression(glob, model, ignoreCase: false);
}

/// <summary>The providers of <c>OPENWOP_AI_PROVIDERS</c> (docs/configuration.md), the first of which is the default.</summary>
internal sealed class AiProviders
{
    public const string Setting = "OPENWOP_AI_PROVIDERS";

    private const int MaxProviders = 32;
    private static readonly JsonLimits Limits = new(256 * 1024, MaxDepth: 8);
    private static readonly string[] Known = ["id", "kind", "url", "key", "keyless", "policy", "allowedModels", "model", "prices"];

    public AiProviders(IReadOnlyList<AiProvider> all) => All = all;

    public IReadOnlyList<AiProvider> All { get; }

    /// <summary>Providers that take keys of callers.</summary>
    public IEnumerable<AiProvider> Byok => All.Where(provider => !provider.IsKeyless);

    public AiProvider? Find(string? id) => id is null ? (All.Count > 0 ? All[0] : null) : All.FirstOrDefault(provider => provider.Id == id);

    /// <exception cref="InvalidOperationException">The setting makes no sense.</exception>
    public static AiProviders Read(IConfiguration configuration)
    {
        if (configuration[Setting] is not { Length: > 0 } text)
            return new([]);

        if (!StrictJson.TryParse(Encoding.UTF8.GetBytes(text), Limits, out var list, out _) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxProviders)
            throw Invalid("must be a JSON array");

        AiProvider[] providers = [.. list.EnumerateArray().Select(Read)];
        return providers.DistinctBy(provider => provider.Id).Count() == providers.Length ? new(providers) : throw Invalid("names a provider twice");
    }

    private static AiProvider Read(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || entry.EnumerateObject().Any(member => !Known.Contains(member.Name)))
            throw Invalid($"has members {string.Join(", ", Known)} and no others");

        if (entry.StringMember("id") is not { Length: > 0 and <= 64 } id)
            throw Invalid("needs an id of 1 to 64 characters for each provider");

        var kind = entry.StringMember("kind") ?? id;
        if (kind is not (AnthropicProvider.Kind or OpenAiProvider.Kind))
            throw Invalid($"knows the kinds '{AnthropicProvider.Kind}' and '{OpenAiProvider.Kind}'");

        Uri? url = null;
        if (entry.Member("url") is not null && (!Uri.TryCreate(entry.StringMember("url"), UriKind.Absolute, out url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)))
            throw Invalid("has http and https URLs");

        return new AiProvider(id, kind, url)
        {
            Key = entry.StringMember("key"),
            IsKeyless = entry.Member("keyless") is { ValueKind: JsonValueKind.True },
            Policy = entry.StringMember("policy") switch
            {
                null or "optional" => ProviderPolicy.Optional,
                "disabled" => ProviderPolicy.Disabled,
                "required" => ProviderPolicy.Required,
                "restricted" => ProviderPolicy.Restricted,
                _ => throw Invalid("knows the policies disabled, optional, required and restricted"),
            },
            AllowedModels = entry.Member("allowedModels") switch
            {
                null => [],
                { ValueKind: JsonValueKind.Array } globs when globs.EnumerateArray().All(glob => glob.ValueKind == JsonValueKind.String) =>
                    [.. globs.EnumerateArray().Select(glob => glob.GetString()!)],
                _ => throw Invalid("lists allowedModels as strings"),
            },
            DefaultModel = entry.StringMember("model"),
            Prices = entry.Member("prices") switch
            {
                null => [],
                { ValueKind: JsonValueKind.Object } prices => [.. prices.EnumerateObject().Select(price => (price.Name, Number(price.Value, "input"), Number(price.Value, "output")))],
                _ => throw Invalid("has prices as an object"),
            },
        };
    }

    private static double Number(JsonElement price, string name) =>
        price.Member(name) is { ValueKind: JsonValueKind.Number } number && number.GetDouble() is >= 0 and < 1_000_000 and var value ? value : throw Invalid("has prices {input, output} per million tokens");

    private static InvalidOperationException Invalid(string what) => new($"{Setting} {what}.");
}
