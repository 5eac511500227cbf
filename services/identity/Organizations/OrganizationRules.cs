using System.Security.Cryptography;
using Google.Protobuf;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>What names, roles and hashes may look like, and who may deal with which role.</summary>
internal static class OrganizationRules
{
    public const int MaxName = 100;

    /// <summary>A public identifier with 120 random bits.</summary>
    public static string NewId(string kind) => $"{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(15))}";

    /// <summary>The name of an organization that nobody has named.</summary>
    public static string WorkspaceOf(string person)
    {
        const string Suffix = "'s workspace";
        var room = MaxName - Suffix.Length;
        return (person.Length <= room ? person : person[..(char.IsHighSurrogate(person[room - 1]) ? room - 1 : room)]) + Suffix;
    }

    public static void CheckName(string name, string field)
    {
        if (name.Length > MaxName || string.IsNullOrWhiteSpace(name))
            throw Invalid(field, $"must have 1 to {MaxName} characters, not only blanks");
        if (name.Any(char.IsControl))
            throw Invalid(field, "must not hold control characters");
    }

    public static Role CheckRole(string role) => Roles.Find(role) ?? throw Invalid("role", "must be owner, editor, runner or viewer");

    public static byte[] CheckHash(ByteString hash, string field) =>
        hash.Length == SHA256.HashSizeInBytes ? hash.ToByteArray() : throw Invalid(field, "must be the 32 bytes of a SHA-256 hash");

    /// <summary>Nobody gives a role, or takes one away, whose scopes it does not have itself.</summary>
    public static void CheckPower(Caller by, Role role)
    {
        if (Roles.ScopesOf(role).FirstOrDefault(scope => !by.HasScope(scope)) is { } missing)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.Forbidden,
                $"Only who has every scope of the role '{Roles.NameOf(role)}' can give it or take it away.",
                new() { ["scopeRequired"] = missing }));
        }
    }

    public static ProtocolException Invalid(string field, string problem) => new(ProtocolError.Validation($"'{field}' {problem}.", field));
}
