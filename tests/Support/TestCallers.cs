using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Testing;

/// <summary>Users of the tenants of a test: one key with all scopes for each tenant and mode, made when it is first asked for.</summary>
/// <param name="services">Of a host with identity and a key verifier.</param>
public sealed class TestCallers(IServiceProvider services)
{
    private readonly ConcurrentDictionary<(string Tenant, bool IsTest), Lazy<Task<string>>> _keys = [];

    /// <summary>Verified anew for every call: tokens do not live long, and the clock of a test may run fast.</summary>
    public async Task<VerifiedKey> VerifyAsync(string tenant, bool isTest)
    {
        var key = await _keys.GetOrAdd((tenant, isTest), _ => new Lazy<Task<string>>(() => CreateKeyAsync(tenant, isTest))).Value;
        return await services.GetRequiredService<KeyVerifier>().VerifyAsync(key, CancellationToken.None);
    }

    private async Task<string> CreateKeyAsync(string tenant, bool isTest)
    {
        var key = ApiKeyText.Create(isTest);
        await services.GetRequiredService<Identity.IdentityClient>().CreateKeyAsync(new CreateKeyRequest
        {
            Tenant = tenant,
            KeyHash = ByteString.CopyFrom(ApiKeyText.Hash(key)),
            Name = "test",
            Scopes = { Caller.AllScopes },
            IsTest = isTest,
        });
        return key;
    }
}
