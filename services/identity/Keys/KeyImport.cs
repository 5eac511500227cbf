using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>
/// Brings the keys of the configuration into the database before the host serves anybody, as often as it starts:
/// <list type="bullet">
/// <item><c>OPENWOP_API_KEY</c> is the one bootstrap key: all scopes, tenant <c>default</c>. A different value replaces the former one,
/// which is revoked; no value changes nothing.</item>
/// <item>Each key of <c>OPENWOP_KEYS_FILE</c> is added, or gets the scopes, principal and name that the file says.</item>
/// <item>A key that is no longer in the file stays until it is revoked: a file that was not mounted, or that another instance has in
/// another version, must not lock everybody out.</item>
/// <item>A key that was revoked stays revoked, whatever the file says.</item>
/// </list>
/// A wrong configuration ends the start with a message; nothing is imported by halves.
/// </summary>
internal sealed partial class KeyImport(
    KeyStore store, KeyChanges changes, IConfiguration configuration, TimeProvider time, ILogger<KeyImport> logger) : IHostedLifecycleService
{
    public const string BootstrapSetting = "OPENWOP_API_KEY";
    public const string DefaultTenant = "default";

    private const int GuessableBelow = 16;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var bootstrap = configuration[BootstrapSetting] is { Length: > 0 } key ? CheckBootstrap(key) : null;
        var entries = configuration[KeysFile.Setting] is { Length: > 0 } path ? await KeysFile.ReadAsync(path, cancellationToken) : [];
        if (bootstrap is null && entries.Count == 0)
        {
            if (await store.IsEmptyAsync(cancellationToken))
                Log.NoKeys(logger, BootstrapSetting, KeysFile.Setting);
            return;
        }

        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var changed = await store.WriteAsync(
            async session =>
            {
                var ids = new List<string>();
                if (bootstrap is not null)
                    await ImportBootstrapAsync(session, bootstrap, now, ids);

                for (var i = 0; i < entries.Count; i++)
                    await ImportEntryAsync(session, entries[i], i + 1, now, ids);

                return ids;
            },
            cancellationToken);
        foreach (var keyId in changed)
            changes.Publish(keyId);

        if (bootstrap is not null && (await store.FindByHashAsync(ApiKeyText.Hash(bootstrap), cancellationToken))?.StatusAt(now) != KeyStatus.Active)
            Log.NotActive(logger, BootstrapSetting);

        Log.Imported(logger, entries.Count + (bootstrap is null ? 0 : 1), changed.Count);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task ImportBootstrapAsync(WriteSession session, string key, long now, List<string> changed)
    {
        var hash = ApiKeyText.Hash(key);
        foreach (var former in await KeyStore.ListBootstrapAsync(session, now))
        {
            if (!former.Hash.AsSpan().SequenceEqual(hash) && await KeyStore.RevokeAsync(session, former.KeyId, now))
                changed.Add(former.KeyId);
        }

        var keyId = KeyChanges.NewKeyId();
        var added = new ApiKeyRecord
        {
            KeyId = keyId,
            Hash = hash,
            Tenant = DefaultTenant,
            Name = "bootstrap",
            Principal = "key:bootstrap",
            Scopes = [Caller.AllScopes],
            IsTest = ApiKeyText.IsTest(key),
            Source = KeySource.Bootstrap,
            CreatedAt = now,
        };
        if (await KeyStore.InsertAsync(session, added))
            changed.Add(keyId);
    }

    private static async Task ImportEntryAsync(WriteSession session, KeysFileEntry entry, int number, long now, List<string> changed)
    {
        var hash = ApiKeyText.Hash(entry.Key);
        if (await KeyStore.FindByHashAsync(session, hash) is { } known)
        {
            if (known.Tenant != entry.Tenant)
                throw new InvalidOperationException($"{KeysFile.Setting}: entry {number} gives tenant '{entry.Tenant}' a key of another tenant. Use a new key.");

            var updated = known with
            {
                Name = entry.Name ?? known.Name,
                Principal = entry.Principal ?? known.Principal,
                Scopes = entry.Scopes,
            };
            if (updated.Name != known.Name || updated.Principal != known.Principal || !updated.Scopes.SequenceEqual(known.Scopes))
            {
                await KeyStore.UpdateAsync(session, updated);
                changed.Add(known.KeyId);
            }

            return;
        }

        var keyId = KeyChanges.NewKeyId();
        var added = new ApiKeyRecord
        {
            KeyId = keyId,
            Hash = hash,
            Tenant = entry.Tenant,
            Name = entry.Name ?? "",
            Principal = entry.Principal ?? "key:" + keyId,
            Scopes = entry.Scopes,
            IsTest = ApiKeyText.IsTest(entry.Key),
            Source = KeySource.File,
            CreatedAt = now,
        };
        if (await KeyStore.InsertAsync(session, added))
            changed.Add(keyId);
    }

    private string CheckBootstrap(string key)
    {
        if (!ApiKeyText.IsWellFormed(key))
            throw new InvalidOperationException($"{BootstrapSetting} must have 1 to {ApiKeyText.MaxLength} visible ASCII characters.");

        // Accepted all the same: local trials and tests use short keys.
        if (key.Length < GuessableBelow)
            Log.Guessable(logger, BootstrapSetting, GuessableBelow);

        return key;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3020, Level = LogLevel.Warning, Message = "There is no API key, so every call is refused. Set {Setting} (or {FileSetting}) and start again.")]
        public static partial void NoKeys(ILogger logger, string setting, string fileSetting);

        [LoggerMessage(EventId = 3021, Level = LogLevel.Information, Message = "The configuration names {Count} keys; {Changed} keys were added, changed or revoked.")]
        public static partial void Imported(ILogger logger, int count, int changed);

        [LoggerMessage(EventId = 3022, Level = LogLevel.Warning, Message = "{Setting} has fewer than {Length} characters and can be guessed.")]
        public static partial void Guessable(ILogger logger, string setting, int length);

        [LoggerMessage(EventId = 3023, Level = LogLevel.Warning, Message = "The key of {Setting} was revoked before and stays revoked. Configure a new one.")]
        public static partial void NotActive(ILogger logger, string setting);
    }
}
