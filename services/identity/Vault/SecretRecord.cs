using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>A secret as it is stored. Times are Unix milliseconds.</summary>
/// <param name="Sealed">The encrypted value.</param>
/// <param name="Version">From 1; grows with each new value.</param>
internal sealed record SecretRecord(string Id, byte[] Sealed, string Description, long Version, long CreatedAt, long UpdatedAt)
{
    /// <summary>Everything but the value.</summary>
    public Secret ToMessage() => new() { SecretId = Id, Description = Description, Version = Version, CreatedAt = CreatedAt, UpdatedAt = UpdatedAt };
}

/// <summary>Whose secrets: those of a tenant, of one mode.</summary>
internal readonly record struct SecretOwner(string Tenant, bool IsTest)
{
    /// <summary>Where a value belongs; it cannot be opened anywhere else.</summary>
    public string[] Binding(string secretId) => [Tenant, IsTest ? "test" : "live", secretId];
}
