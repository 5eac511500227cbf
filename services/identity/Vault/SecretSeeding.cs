using System.Collections.Frozen;
using System.Text;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>
/// The secrets that tests of the protocol resolve (spec/agents.md 10): with <c>OPENWOP_CANARY_SECRET_VALUE</c> every tenant that the
/// configuration gives a key has them, in the mode of the key. Never set in production.
/// </summary>
internal sealed class SecretSeeding(SecretVault vault, IConfiguration configuration) : IHostedLifecycleService
{
    public const string Setting = "OPENWOP_CANARY_SECRET_VALUE";
    public const string SecretId = "openwop-conformance-canary-secret";

    /// <summary>The one that is remembered.</summary>
    public const string MemorySecretId = "conformance-test-secret";

    private const string Description = "For tests of the protocol.";

    private static readonly Caller Self = new() { Service = "identity", Tenant = "", Principal = "", KeyId = "", Scopes = FrozenSet<string>.Empty, IsTest = false };

    /// <summary>Ids that are provided.</summary>
    public IReadOnlyList<string> Seeded => configuration[Setting] is { Length: > 0 } ? [SecretId, MemorySecretId] : [];

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (configuration[Setting] is not { Length: > 0 } text)
            return;

        var value = Encoding.UTF8.GetBytes(text);
        foreach (var owner in await OwnersAsync(cancellationToken))
        {
            foreach (var secretId in Seeded)
                await vault.PutAsync(owner, secretId, value, Description, Self, cancellationToken);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<HashSet<SecretOwner>> OwnersAsync(CancellationToken cancellationToken)
    {
        var entries = configuration[KeysFile.Setting] is { Length: > 0 } path ? await KeysFile.ReadAsync(path, cancellationToken) : [];
        var owners = entries.Select(entry => new SecretOwner(entry.Tenant, ApiKeyText.IsTest(entry.Key))).ToHashSet();
        if (configuration[KeyImport.BootstrapSetting] is { Length: > 0 } bootstrap)
            owners.Add(new SecretOwner(KeyImport.DefaultTenant, ApiKeyText.IsTest(bootstrap)));
        return owners;
    }
}
