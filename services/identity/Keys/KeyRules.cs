using System.Text.RegularExpressions;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>What the parts of a key may look like, however they come in. A rule answers what is wrong, or null.</summary>
internal static partial class KeyRules
{
    public const int MaxTextLength = 200;
    public const int MaxScopes = 64;
    public const int MaxActiveKeysPerTenant = 1000;
    public const string TenantRule = "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit";

    public static string? Tenant(string tenant) => TenantName().IsMatch(tenant) ? null : $"must be {TenantRule}";

    /// <summary>A name or a principal: shown to people and written to logs.</summary>
    public static string? Text(string text) =>
        text.Length > MaxTextLength ? $"must have at most {MaxTextLength} characters"
        : text.Any(char.IsControl) ? "must not hold control characters"
        : null;

    public static string? Scopes(IReadOnlyCollection<string> scopes) =>
        scopes.Count is 0 or > MaxScopes ? $"must hold 1 to {MaxScopes} scopes"
        : scopes.FirstOrDefault(scope => !ScopeName().IsMatch(scope)) is not null ? "must hold scopes such as 'runs:read', or '*' for all"
        : null;

    /// <summary>The stored form of a set of scopes.</summary>
    public static IReadOnlyList<string> Normalize(IEnumerable<string> scopes) =>
        [.. scopes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TenantName();

    [GeneratedRegex(@"\A(\*|[a-z][a-z0-9_-]*([:.][a-z][a-z0-9_-]*)*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex ScopeName();
}
