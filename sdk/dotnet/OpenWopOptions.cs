namespace OpenWop.Micro.Client;

/// <summary>How a client reaches its server.</summary>
public sealed record OpenWopOptions
{
    /// <summary>Where the server is, for example <c>http://127.0.0.1:8080</c>. A path in it is kept.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>The API key; null for the few calls that need none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// How often a call is repeated when that is safe: it only reads, it carries an idempotency key, or the server refused it before
    /// doing anything (429). 0 = never.
    /// </summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>The wait before the first repetition; it doubles each time, up to ten seconds, with jitter. What the server asks for comes first.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long one attempt may take until its answer begins. Streams live as long as they want.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);
}
