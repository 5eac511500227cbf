namespace OpenWop.Micro.Protocol.Runs;

/// <summary>What this server honours in run options, and for whom: the same facts that the discovery document advertises.</summary>
public sealed record RunOptionPolicy
{
    /// <summary>Ceiling of <c>recursionLimit</c>, and its value when a run does not say (<c>limits.maxNodeExecutions</c>).</summary>
    public required int MaxNodeExecutions { get; init; }

    /// <summary>Ceiling of <c>runTimeoutMs</c> (<c>limits.maxRunDurationMs</c>); null = the key is ignored.</summary>
    public long? MaxRunDurationMs { get; init; }

    /// <summary>True when the credential is a test key: only those may use mock providers (spec/http-core.md 5.4).</summary>
    public bool IsTestKey { get; init; }

    /// <summary>Ids of mock providers (<c>testing.mockProviders</c>).</summary>
    public IReadOnlyList<string> MockProviders { get; init; } = [];

    /// <summary><c>aiProviders.supported</c>; null = not advertised, any provider passes.</summary>
    public IReadOnlyList<string>? AiProviders { get; init; }

    /// <summary><c>aiProviders.byok</c>; null = there are no secrets, <c>ai.credentialRef</c> is ignored.</summary>
    public IReadOnlyList<string>? ByokProviders { get; init; }

    /// <summary>Keys of later protocol families that are honoured, by name (<see cref="ReservedOptions.Later"/>); others are ignored.</summary>
    public IReadOnlyList<string> LaterKeys { get; init; } = [];
}
