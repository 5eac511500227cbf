using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// One operation of the public surface, whatever the transport: a row of <see cref="Operations"/>.
/// </summary>
/// <param name="Id">Stable id, the OpenAPI <c>operationId</c>.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Route">Route template. Its literal text, with the method, is the canonical endpoint of idempotency records.</param>
internal sealed record Operation(string Id, string Method, string Route)
{
    /// <summary>Scopes that a caller needs, all of them. Empty = the operation is public and takes no credential.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Method of <c>openwop.v1.Engine</c>; null = REST only.</summary>
    public string? Rpc { get; init; }

    public string Summary { get; init; } = "";

    /// <summary>Names of the query and header parameters in the OpenAPI components. Route parameters come from the route.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    /// <summary>OpenAPI schema of the request body; null = no body.</summary>
    public string? Body { get; init; }

    public bool BodyRequired { get; init; } = true;

    public required IReadOnlyList<Success> Successes { get; init; }

    /// <summary>Errors that are particular to the operation. Those that every operation shares are implied.</summary>
    public IReadOnlyList<ErrorCode> Errors { get; init; } = [];

    /// <summary>Whether every caller may do it, whatever its scopes; it still has to be one.</summary>
    public bool IsForEveryCaller { get; init; }

    /// <summary>Public operations take no API key, and so there is nobody whose calls could be counted.</summary>
    public bool IsPublic => Scopes.Count == 0 && !IsForEveryCaller;

    /// <summary>False for what a client needs before anything else: it is never refused.</summary>
    public bool IsLimited { get; init; } = true;

    /// <summary>
    /// Whether an <c>Idempotency-Key</c> has a record: on every mutating operation of a caller (spec/http-core.md 6.1). Without a caller
    /// there is no tenant that it could belong to; then the service that acts remembers the key itself.
    /// </summary>
    public bool TakesIdempotencyKey => Method != HttpMethods.Get && !IsPublic && !IgnoresIdempotencyKey;

    /// <summary>Whether there is no record although something may change.</summary>
    public bool IgnoresIdempotencyKey { get; init; }

    /// <summary>The route as the OpenAPI document spells it, which knows no parameter of several segments.</summary>
    public string Path { get; } = Route.Replace("{**", "{", StringComparison.Ordinal);

    /// <summary>Whether the first parameter of the route names a run.</summary>
    public bool IsAboutRun { get; } = Route.Contains("{runId}", StringComparison.Ordinal);

    /// <summary>The routed operation as idempotency records name it: <c>POST /v1/runs/{runId}/cancel</c>.</summary>
    public string Endpoint { get; } = $"{Method} {Route}";
}

/// <summary>An answer that is not an error.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Description">For the OpenAPI document.</param>
/// <param name="Schema">OpenAPI schema of the body; null = no JSON body.</param>
internal sealed record Success(int Status, string Description, string? Schema = null)
{
    /// <summary>Whether the answer may also be a stream of server-sent events.</summary>
    public bool IsEventStream { get; init; }
}
