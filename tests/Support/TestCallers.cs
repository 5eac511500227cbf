using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Testing;

/// <summary>Users of the tenants of a test: one key with all scopes for each tenant and mode, made when it is first asked for.</summary>
/// <param name="services">Of a host with identity and a key verifier.</param>
public sealed class TestCallers(IServiceProvider services)
{
    private const int MaxTries = 500;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<(string Tenant, bool IsTest), Lazy<Task<string>>> _keys = [];

    /// <summary>Verified anew for every call: tokens do not live long, and the clock of a test may run fast.</summary>
    public async Task<VerifiedKey> VerifyAsync(string tenant, bool isTest)
    {
        var key = await _keys.GetOrAdd((tenant, isTest), _ => new Lazy<Task<string>>(() => CreateKeyAsync(tenant, isTest))).Value;
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await services.GetRequiredService<KeyVerifier>().VerifyAsync(key, CancellationToken.None);
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable && tries < MaxTries)
            {
                // The clock has jumped beyond the tokens of the process itself, which fetches new ones now.
                await Task.Delay(Pause);
            }
        }
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
