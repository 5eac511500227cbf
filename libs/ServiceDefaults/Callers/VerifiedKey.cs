using System.Collections.Frozen;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>What identity says about an API key.</summary>
/// <param name="Status">Active, unknown, expired or revoked.</param>
/// <param name="Caller">Who the key stands for; null unless active.</param>
/// <param name="Tokens">Audience (name of a service) to the internal token that carries the caller there.</param>
public sealed record VerifiedKey(KeyStatus Status, Caller? Caller, FrozenDictionary<string, string> Tokens)
{
    /// <summary>Metadata for a call to a service in the name of the caller.</summary>
    /// <exception cref="InvalidOperationException">The key is not active, or there is no service of that name.</exception>
    public Metadata HeadersFor(string service) => Tokens.TryGetValue(service, out var token)
        ? new Metadata { { "authorization", "Bearer " + token } }
        : throw new InvalidOperationException($"The key carries no token for '{service}'.");

    internal static VerifiedKey From(VerifyKeyReply reply) => reply.Status == KeyStatus.Active
        ? new VerifiedKey(
            reply.Status,
            new Caller
            {
                Tenant = reply.Tenant,
                Principal = reply.Principal,
                KeyId = reply.KeyId,
                Scopes = reply.Scopes.ToFrozenSet(StringComparer.Ordinal),
                IsTest = reply.IsTest,
            },
            reply.Tokens.ToFrozenDictionary(StringComparer.Ordinal))
        : new VerifiedKey(reply.Status, null, FrozenDictionary<string, string>.Empty);
}
