using System.Collections.Frozen;
using Grpc.Core;

namespace OpenWop.Micro.Gateway.Authentication;

/// <summary>Who calls: the holder of a valid API key.</summary>
/// <param name="Tenant">The tenant that everything the call does belongs to.</param>
/// <param name="KeyId">Public id of the key, safe to log.</param>
/// <param name="Scopes">What the key may do; <c>*</c> = everything.</param>
/// <param name="IsTest">Whether the key is one of the test mode.</param>
/// <param name="Tokens">Audience (name of a service) to the internal token that carries this caller.</param>
internal sealed record ApiCaller(
    string Tenant, string KeyId, FrozenSet<string> Scopes, bool IsTest, IReadOnlyDictionary<string, string> Tokens)
{
    private readonly bool _mayDoEverything = Scopes.Contains("*");

    public bool HasScope(string scope) => _mayDoEverything || Scopes.Contains(scope);

    /// <summary>Options of a call to another service in the name of this caller.</summary>
    /// <param name="service">The service that is called.</param>
    /// <param name="within">How long the call may take; null = as long as it lives.</param>
    public CallOptions CallOptions(string service, TimeSpan? within, CancellationToken cancellationToken)
    {
        var headers = new Metadata();
        if (Tokens.TryGetValue(service, out var token))
            headers.Add("authorization", $"Bearer {token}");

        return new CallOptions(headers, within is { } time ? DateTime.UtcNow + time : null, cancellationToken);
    }
}
