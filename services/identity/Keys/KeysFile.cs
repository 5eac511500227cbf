using System.Text.Json;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>One entry of the keys file. Holds a key: never log it.</summary>
internal sealed record KeysFileEntry(string Key, string Tenant, IReadOnlyList<string> Scopes, string? Principal, string? Name)
{
    /// <summary>Without the key.</summary>
    public override string ToString() => $"{nameof(KeysFileEntry)} of tenant {Tenant}";
}

/// <summary>
/// The file of <c>OPENWOP_KEYS_FILE</c>: a JSON array of <c>{key, tenant, scopes, principal?, name?}</c>. Anything else in it is an error that names
/// the entry and the member, never a value.
/// </summary>
internal static class KeysFile
{
    public const string Setting = "OPENWOP_KEYS_FILE";

    private const long MaxFileSize = 1024 * 1024;
    private const int MaxEntries = 1000;
    private const int MinKeyLength = 16;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 8 };

    /// <exception cref="InvalidOperationException">The file cannot be read, or is not what it should be.</exception>
    public static async Task<IReadOnlyList<KeysFileEntry>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var bytes = await ReadBytesAsync(path, cancellationToken);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(bytes, Json);
        }
        catch (JsonException exception)
        {
            // Without the exception: its message may quote the file.
            throw Error(path, $"is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1})");
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Array)
                throw Error(path, "must hold a JSON array");
            if (root.GetArrayLength() > MaxEntries)
                throw Error(path, $"must hold at most {MaxEntries} entries");

            var entries = new List<KeysFileEntry>();
            var positions = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var element in root.EnumerateArray())
            {
                var number = entries.Count + 1;
                var entry = ReadEntry(element, problem => Error(path, $"entry {number}: {problem}"));
                if (!positions.TryAdd(entry.Key, number))
                    throw Error(path, $"entry {number} repeats the key of entry {positions[entry.Key]}");

                entries.Add(entry);
            }

            return entries;
        }
    }

    private static KeysFileEntry ReadEntry(JsonElement element, Func<string, InvalidOperationException> error)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw error("must be an object");

        string? key = null, tenant = null, principal = null, name = null;
        List<string>? scopes = null;
        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "key": key = ReadString(member, error); break;
                case "tenant": tenant = ReadString(member, error); break;
                case "principal": principal = ReadString(member, error); break;
                case "name": name = ReadString(member, error); break;
                case "scopes": scopes = ReadScopes(member, error); break;

                // Its name is not repeated: a slip of the pen may have put a key there.
                default: throw error("has an unknown member; known are key, tenant, scopes, principal, name");
            }
        }

        if (key is null || !ApiKeyText.IsWellFormed(key) || key.Length < MinKeyLength)
            throw error($"'key' must have {MinKeyLength} to {ApiKeyText.MaxLength} visible ASCII characters");
        if (tenant is null || KeyRules.Tenant(tenant) is not null)
            throw error($"'tenant' must be {KeyRules.TenantRule}");
        if (scopes is null)
            throw error("'scopes' is missing");
        if (KeyRules.Scopes(scopes) is { } badScopes)
            throw error($"'scopes' {badScopes}");
        if (principal is not null && KeyRules.Text(principal) is { } badPrincipal)
            throw error($"'principal' {badPrincipal}");
        if (name is not null && KeyRules.Text(name) is { } badName)
            throw error($"'name' {badName}");

        return new KeysFileEntry(key, tenant, KeyRules.Normalize(scopes), principal is "" ? null : principal, name);
    }

    private static string ReadString(JsonProperty member, Func<string, InvalidOperationException> error) =>
        member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : throw error($"'{member.Name}' must be a string");

    private static List<string> ReadScopes(JsonProperty member, Func<string, InvalidOperationException> error) =>
        member.Value.ValueKind == JsonValueKind.Array && member.Value.EnumerateArray().All(scope => scope.ValueKind == JsonValueKind.String)
            ? [.. member.Value.EnumerateArray().Select(scope => scope.GetString()!)]
            : throw error("'scopes' must be an array of strings");

    private static async Task<byte[]> ReadBytesAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return new FileInfo(path).Length <= MaxFileSize
                ? await File.ReadAllBytesAsync(path, cancellationToken)
                : throw Error(path, $"must have at most {MaxFileSize} bytes");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Error(path, $"cannot be read: {exception.GetType().Name}");
        }
    }

    private static InvalidOperationException Error(string path, string problem) => new($"{Setting}: '{path}' {problem}.");
}
