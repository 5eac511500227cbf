using Grpc.Core;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Gateway.Authentication;

/// <summary>Who calls: the holder of an active API key, and what lets the gateway call services in its name.</summary>
internal sealed class ApiCaller(Caller caller, VerifiedKey key)
{
    /// <summary>The tenant that everything the call does belongs to.</summary>
    public string Tenant => caller.Tenant;

    /// <summary>Public id of the key, safe to log.</summary>
    public string KeyId => caller.KeyId;

    /// <summary>Who acts, opaque; the same for all keys of a member.</summary>
    public string Principal => caller.Principal;

    /// <summary>What the caller may do.</summary>
    public IReadOnlyCollection<string> Scopes => caller.Scopes;

    /// <summary>Whether the key is one of the test mode.</summary>
    public bool IsTest => caller.IsTest;

    public bool HasScope(string scope) => caller.HasScope(scope);

    /// <summary>Options of a call to another service in the name of this caller.</summary>
    /// <param name="service">The service that is called.</param>
    /// <param name="within">How long the call may take; null = as long as it lives.</param>
    public CallOptions CallOptions(string service, TimeSpan? within, CancellationToken cancellationToken) =>
        new(key.HeadersFor(service), within is { } time ? DateTime.UtcNow + time : null, cancellationToken);
}
