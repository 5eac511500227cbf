using System.Collections.Immutable;

namespace OpenWop.Micro.Protocol.Runs;

/// <summary>Kind of value that a reserved key takes.</summary>
public enum OptionKind
{
    /// <summary>Whole number, however it is spelled.</summary>
    WholeNumber,
    Number,

    /// <summary>Not empty.</summary>
    Text,

    /// <summary>One of <see cref="ReservedOption.Values"/>.</summary>
    Choice,

    /// <summary>Object whose members are strings.</summary>
    TextMap,

    /// <summary>The closed object <c>{id, config?}</c>.</summary>
    MockProvider,

    /// <summary>The closed object of the published <c>budget-policy</c> schema.</summary>
    Budget,
}

/// <summary>A reserved key of <c>configurable</c>.</summary>
/// <param name="Key">Name; a dotted one may also be spelled as nested objects.</param>
/// <param name="Kind">Kind of value.</param>
/// <param name="Min">Smallest number.</param>
/// <param name="Max">Largest number.</param>
/// <param name="IsLater">True when it belongs to an optional family: hosts without it ignore the key.</param>
public sealed record ReservedOption(string Key, OptionKind Kind, double? Min = null, double? Max = null, bool IsLater = false)
{
    /// <summary>Allowed texts of a <see cref="OptionKind.Choice"/>.</summary>
    public ImmutableArray<string> Values { get; init; } = [];
}

/// <summary>
/// Every reserved key of <c>configurable</c> (spec/http-core.md 10.3), and nowhere else. A wrong value is a 400
/// <c>validation_error</c> when the run is created; all other keys pass through to the nodes.
/// </summary>
public static class ReservedOptions
{
    public const string RecursionLimit = "recursionLimit";
    public const string MockProvider = "mockProvider";
    public const string AiProvider = "ai.provider";
    public const string AiModel = "ai.model";
    public const string AiCredentialRef = "ai.credentialRef";
    public const string RunTimeoutMs = "runTimeoutMs";

    /// <summary>The table.</summary>
    public static readonly ImmutableArray<ReservedOption> All =
    [
        new(RecursionLimit, OptionKind.WholeNumber, Min: 1),
        new("model", OptionKind.Text),
        new("temperature", OptionKind.Number, Min: 0, Max: 2),
        new("maxTokens", OptionKind.WholeNumber, Min: 1),
        new("promptOverrides", OptionKind.TextMap),
        new(MockProvider, OptionKind.MockProvider),
        new(AiProvider, OptionKind.Text),
        new(AiModel, OptionKind.Text),
        new(AiCredentialRef, OptionKind.Text),
        new(RunTimeoutMs, OptionKind.Number, Min: 1, IsLater: true),
        new("escalationThreshold", OptionKind.Number, Min: 0, Max: 1, IsLater: true),
        new("reasoningVerbosity", OptionKind.Choice, IsLater: true) { Values = ["summary", "full", "off"] },
        new("maxLoopIterations", OptionKind.WholeNumber, Min: 1, IsLater: true),
        new("distillation.tokenBudget", OptionKind.WholeNumber, Min: 1, IsLater: true),
        new("budget", OptionKind.Budget, IsLater: true),
    ];

    /// <summary>Keys that a server may ignore.</summary>
    public static IEnumerable<string> Later => All.Where(option => option.IsLater).Select(option => option.Key);
}
