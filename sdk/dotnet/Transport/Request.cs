namespace OpenWop.Micro.Client.Transport;

/// <summary>A request that can be sent again.</summary>
internal sealed record Request(HttpMethod Method, string Path)
{
    /// <summary>UTF-8 JSON; null = no body.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Makes the call safe to repeat.</summary>
    public string? IdempotencyKey { get; init; }

    public string? IfMatch { get; init; }

    public string? Accept { get; init; }

    public string? LastEventId { get; init; }

    /// <summary>Whether doing it twice is the same as doing it once.</summary>
    public bool IsRepeatable => Method == HttpMethod.Get || IdempotencyKey is not null;

    /// <summary>A call that changes something, with a key of its own: the server acts once, however often it is sent.</summary>
    public static Request Once(HttpMethod method, string path, byte[]? body = null) => new(method, path) { Body = body, IdempotencyKey = Guid.NewGuid().ToString("n") };
}
