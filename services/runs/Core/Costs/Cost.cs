using System.Text.Json;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// What calls of models have cost. Only what the protocol lists (spec/runs-streams-replay.md 9.2): everything else that a node reports is
/// dropped, and a price that nobody knows stays unknown.
/// </summary>
/// <param name="InputTokens">Tokens sent.</param>
/// <param name="OutputTokens">Tokens received.</param>
/// <param name="Usd">Null = unknown.</param>
internal sealed record Cost(long InputTokens, long OutputTokens, double? Usd, string? Provider, string? Model)
{
    private const int MaxTextLength = 128;

    public static Cost operator +(Cost left, Cost right) => new(
        left.InputTokens + right.InputTokens,
        left.OutputTokens + right.OutputTokens,
        left.Usd is null && right.Usd is null ? null : (left.Usd ?? 0) + (right.Usd ?? 0),
        right.Provider ?? left.Provider,
        right.Model ?? left.Model);

    /// <summary>Reads attributes <c>openwop.cost.*</c>; unknown names, negative numbers and values that are not what their name says do not count.</summary>
    public static Cost Of(JsonElement attributes) => new(
        Tokens(attributes, "openwop.cost.tokens.input"),
        Tokens(attributes, "openwop.cost.tokens.output"),
        attributes.Member("openwop.cost.usd") is { ValueKind: JsonValueKind.Number } usd && usd.GetDouble() is >= 0 and < double.PositiveInfinity and var value ? value : null,
        attributes.StringMember("openwop.cost.provider") is { Length: > 0 and <= MaxTextLength } provider ? provider : null,
        Model: null);

    /// <summary>The member <c>openwopCost</c> of a snapshot's metrics.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("openwopCost");
        if (Usd is { } usd)
            writer.WriteNumber("usd", usd);
        writer.WriteStartObject("tokens");
        writer.WriteNumber("input", InputTokens);
        writer.WriteNumber("output", OutputTokens);
        writer.WriteEndObject();
        if (Provider is not null)
            writer.WriteString("provider", Provider);
        if (Model is not null)
            writer.WriteString("model", Model);
        writer.WriteEndObject();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null = there is none.</summary>
    public static Cost? Read(JsonElement parent) => parent.Member("openwopCost") is { } cost
        ? new Cost(
            cost.GetProperty("tokens").GetProperty("input").GetInt64(),
            cost.GetProperty("tokens").GetProperty("output").GetInt64(),
            cost.Member("usd") is { } usd ? usd.GetDouble() : null,
            cost.StringMember("provider"),
            cost.StringMember("model"))
        : null;

    private static long Tokens(JsonElement attributes, string name) =>
        attributes.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var tokens) && tokens >= 0 ? tokens : 0;
}
