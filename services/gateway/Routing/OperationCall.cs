using OpenWop.Micro.Gateway.Authentication;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// One call of an operation, free of its transport: what REST reads from the request and gRPC from message and metadata.
/// </summary>
internal sealed class OperationCall(Operation operation)
{
    public Operation Operation => operation;

    /// <summary>The id in the route: <c>{runId}</c>, <c>{workflowId}</c>, <c>{token}</c> or <c>{id}</c>; empty where the route has none.</summary>
    public string ResourceId { get; init; } = "";

    /// <summary>The second id in the route, <c>{nodeId}</c>, <c>{artifactId}</c>, <c>{deliveryId}</c> or <c>{version}</c>; empty where the route has none.</summary>
    public string NodeId { get; init; } = "";

    /// <summary>The <c>Authorization</c> header, unchecked.</summary>
    public string? Authorization { get; init; }

    /// <summary>The <c>Idempotency-Key</c> header, unchecked; null = none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The W3C trace context of the call; empty = none.</summary>
    public string Traceparent { get; init; } = "";

    /// <summary>Reads the body, at most once unless it is replaced by a body that is already read. Fails when it is too large or of a foreign media type.</summary>
    public Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> ReadBody { get; set; } = static _ => ValueTask.FromResult<ReadOnlyMemory<byte>>(default);

    /// <summary>Reads a query parameter, unchecked; null = absent.</summary>
    public Func<string, string?> Query { get; init; } = static _ => null;

    /// <summary>The header <c>X-Dedup</c>, unchecked.</summary>
    public string? Dedup { get; init; }

    /// <summary>The header <c>X-Force-Engine-Version</c>, unchecked.</summary>
    public string? ForceEngineVersion { get; init; }

    /// <summary>The header <c>If-Match</c>, unchecked.</summary>
    public string? IfMatch { get; init; }

    /// <summary>The header <c>If-None-Match</c>, unchecked.</summary>
    public string? IfNoneMatch { get; init; }

    /// <summary>What absolute URLs in the answer start with; no trailing slash.</summary>
    public string BaseUrl { get; init; } = "";

    /// <summary>Who calls, once the credential is verified; null before that, and for public operations.</summary>
    public ApiCaller? Identified { get; set; }

    /// <summary>Who calls, for operations that are not public.</summary>
    public ApiCaller Caller => Identified ?? throw new InvalidOperationException("Nobody has been identified yet.");

    /// <summary>
    /// The same for every retry of one logical call, and for nothing else; empty without an idempotency key. The service that acts
    /// keeps it unique, so that a call cannot act twice however often it is repeated.
    /// </summary>
    public string RequestId { get; set; } = "";
}

/// <summary>What carries out an operation: body validation, resource binding and state belong to the service behind it.</summary>
internal delegate Task<Answer> OperationHandler(OperationCall call, CancellationToken cancellationToken);
