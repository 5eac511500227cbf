using System.Collections.Frozen;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>In whose name a call is made: a user (somebody with an API key), or another service of the installation.</summary>
public sealed record Caller
{
    /// <summary>The scope that stands for all scopes.</summary>
    public const string AllScopes = "*";

    /// <summary>The tenant that the caller belongs to; empty for a service, which belongs to none and has to name one.</summary>
    public required string Tenant { get; init; }

    /// <summary>Who acts, opaque; stays the same when a key is rotated. Empty for a service.</summary>
    public required string Principal { get; init; }

    /// <summary>Public identifier of the API key, safe to log. Empty for a service.</summary>
    public required string KeyId { get; init; }

    /// <summary>What the caller may do; a flat set, no scope implies another (spec/http-core.md 5.2).</summary>
    public required FrozenSet<string> Scopes { get; init; }

    /// <summary>Whether the caller works with test data. Meaningless for a service.</summary>
    public required bool IsTest { get; init; }

    /// <summary>Name of the calling service, or null for a user.</summary>
    public string? Service { get; init; }

    /// <summary>Whether the call is made by a service in its own name.</summary>
    public bool IsService => Service is not null;

    /// <summary>Whether the caller has a scope, by name or by having all.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope) || Scopes.Contains(AllScopes);
}
