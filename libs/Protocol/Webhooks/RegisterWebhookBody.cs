using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Protocol.Webhooks;

/// <summary>
/// The body of <c>POST /v1/webhooks</c>; closed (spec/webhooks-packs.md 1.3). A <c>tenantId</c> may be sent and says nothing: a
/// subscription belongs to the tenant of the credential.
/// </summary>
/// <param name="Url">An absolute URL; whether it may be called is for the service to judge.</param>
/// <param name="Events">1 to 128 names of event types, each once. Names that nobody knows yet are fine.</param>
/// <param name="Tags">When there are any, the run must have one of them; each once.</param>
/// <param name="Secret">A secret that the caller has chosen, or null.</param>
public sealed partial record RegisterWebhookBody(Uri Url, ImmutableArray<string> Events, ImmutableArray<string> Tags, string? Secret)
{
    public const int MaxUrlLength = 2048;
    public const int MaxEvents = 128;
    public const int MaxEventLength = 128;
    public const int MaxTags = 100;
    public const int MaxTagLength = 256;
    public const int MinSecretLength = 16;
    public const int MaxSecretLength = 256;

    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out RegisterWebhookBody? body, [NotNullWhen(false)] out ProtocolError? error)
    {
        body = null;
        if (RequestReader.TryOpen(utf8, isOptional: false, out var reader, out error))
        {
            reader.RequireOnly("url", "events", "tags", "secret", "tenantId");
            reader.Text("tenantId", RunOptionLimits.MaxIdLength, minLength: 0);
            var url = ReadUrl(reader);
            var events = ReadEvents(reader);
            body = new RegisterWebhookBody(url, events, ReadTags(reader), ReadSecret(reader));
        }

        return reader.Decide(ref body, ref error);
    }

    private static Uri ReadUrl(RequestReader reader)
    {
        var text = reader.RequiredText("url", MaxUrlLength);
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && text.Contains("://", StringComparison.Ordinal))
            return url;

        reader.Fail("url", "'url' must be an absolute URL.");
        return new Uri("https://invalid.invalid");
    }

    private static ImmutableArray<string> ReadEvents(RequestReader reader)
    {
        if (!reader.Has("events"))
            reader.Fail("events", "'events' is missing.");
        else if (Strings(reader, "events", MaxEvents) is { Length: > 0 } names && names.All(name => name.Length <= MaxEventLength && EventName().IsMatch(name)))
            return names;

        reader.Fail("events", $"'events' must be a list of 1 to {MaxEvents} names of event types.");
        return [];
    }

    private static ImmutableArray<string> ReadTags(RequestReader reader)
    {
        if (!reader.Has("tags"))
            return [];

        if (Strings(reader, "tags", MaxTags) is { } tags && tags.All(tag => CodePoints.Count(tag) is > 0 and <= MaxTagLength))
            return tags;

        reader.Fail("tags", $"'tags' must be a list of at most {MaxTags} strings of 1 to {MaxTagLength} characters.");
        return [];
    }

    /// <summary>Printable ASCII, so that the bytes of the key are beyond doubt.</summary>
    private static string? ReadSecret(RequestReader reader)
    {
        if (!reader.Has("secret"))
            return null;

        if (reader.Any("secret") is { ValueKind: JsonValueKind.String } value
            && value.GetString() is { Length: >= MinSecretLength and <= MaxSecretLength } secret
            && !secret.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return secret;
        }

        reader.Fail("secret", $"'secret' must have {MinSecretLength} to {MaxSecretLength} printable ASCII characters.");
        return null;
    }

    /// <summary>Null when it is no list of strings, or too long.</summary>
    private static ImmutableArray<string>? Strings(RequestReader reader, string name, int maxCount) =>
        reader.Array(name) is { } array
        && array.GetArrayLength() <= maxCount
        && array.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. array.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)]
            : null;

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex EventName();
}
