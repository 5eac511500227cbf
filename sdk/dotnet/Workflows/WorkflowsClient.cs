using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Workflows;

/// <summary>A workflow in a list.</summary>
public sealed record WorkflowDescription(string Id, string? Name, int Version);

/// <summary>A workflow with its blocks.</summary>
public sealed record WorkflowDocument(string Id, JsonElement Workflow, int Version);

/// <summary>A version in a list.</summary>
public sealed record WorkflowVersion
{
    public required int Version { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>What a list of edit operations came to.</summary>
public sealed record PatchResult
{
    /// <summary>Whether everything was applied and the workflow can run.</summary>
    public required bool Ok { get; init; }

    public required JsonElement Workflow { get; init; }

    public required int Version { get; init; }

    /// <summary>What is wrong with blocks, changed or not: <c>{block_id, block_type, field?, error}</c>.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("validation_errors")]
    public IReadOnlyList<JsonElement> ValidationErrors { get; init; } = [];

    /// <summary>Operations that were left out: <c>{reason_code, operation_type, block_id, reason}</c>.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("skipped_items")]
    public IReadOnlyList<JsonElement> SkippedItems { get; init; } = [];

    /// <summary>The same for people, and for language models.</summary>
    public string Summary { get; init; } = "";
}

/// <summary>A definition that was stored.</summary>
public sealed record StoredDefinition(string WorkflowId, int Version, string? Etag);

/// <summary>Workflows: definitions of the protocol, and the authoring plane with its edit operations.</summary>
public sealed class WorkflowsClient
{
    private readonly OpenWopTransport _transport;

    internal WorkflowsClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Stores a definition as a new version.</summary>
    /// <param name="utf8">The definition, kept byte for byte.</param>
    public Task<StoredDefinition> PutDefinitionAsync(string workflowId, byte[] utf8, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<StoredDefinition>(
            new Request(HttpMethod.Put, "/v1/workflows/" + Json.Segment(workflowId)) { Body = utf8, IdempotencyKey = Guid.NewGuid().ToString("n") }, cancellationToken);

    public Task<JsonElement> GetDefinitionAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/v1/workflows/" + Json.Segment(workflowId)), cancellationToken);

    /// <summary>Makes an empty workflow.</summary>
    public Task<WorkflowDocument> CreateAsync(string? name = null, string? description = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WorkflowDocument>(
            new Request(HttpMethod.Post, "/api/workflows")
            {
                Body = name is null && description is null ? Json.Bytes(new { }) : Json.Bytes(new { metadata = new { name, description } }),
            },
            cancellationToken);

    public Task<Page<WorkflowDescription>> ListAsync(int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<WorkflowDescription>("/api/workflows", limit, after, cancellationToken);

    public IAsyncEnumerable<WorkflowDescription> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<WorkflowDescription>("/api/workflows", cancellationToken);

    public Task<WorkflowDocument> GetAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WorkflowDocument>(new Request(HttpMethod.Get, Path(workflowId)), cancellationToken);

    /// <summary>Applies edit operations. What cannot be applied is left out and explained.</summary>
    /// <param name="version">The version that the operations were made for; another one is 412.</param>
    /// <param name="operations">An array of edit operations.</param>
    public Task<PatchResult> PatchAsync(string workflowId, int version, JsonElement operations, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<PatchResult>(
            new Request(HttpMethod.Post, Path(workflowId) + "/operations") { IfMatch = Tag(version), Body = Json.Bytes(new { ops = operations }) }, cancellationToken);

    public IAsyncEnumerable<WorkflowVersion> VersionsAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.AllAsync<WorkflowVersion>(Path(workflowId) + "/versions", cancellationToken);

    public Task<JsonElement> GetVersionAsync(string workflowId, int version, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, $"{Path(workflowId)}/versions/{version}"), cancellationToken);

    /// <summary>Makes the content of an old version the newest one.</summary>
    public Task<JsonElement> RollbackAsync(string workflowId, int current, int to, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(
            new Request(HttpMethod.Post, Path(workflowId) + "/rollback") { IfMatch = Tag(current), Body = Json.Bytes(new { version = to }) }, cancellationToken);

    public Task DeleteAsync(string workflowId, int version, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, Path(workflowId)) { IfMatch = Tag(version) }, cancellationToken);

    private static string Tag(int version) => version.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Path(string workflowId) => "/api/workflows/" + Json.Segment(workflowId);
}

/// <summary>What workflows can be made of.</summary>
public sealed class CatalogueClient
{
    private readonly OpenWopTransport _transport;

    internal CatalogueClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>All connectors.</summary>
    /// <param name="full">With parameters and outputs.</param>
    public async Task<IReadOnlyList<JsonElement>> ConnectorsAsync(bool full = false, CancellationToken cancellationToken = default)
    {
        var list = await _transport.JsonAsync(new Request(HttpMethod.Get, full ? "/api/connectors?detail=full" : "/api/connectors"), cancellationToken)
            .ConfigureAwait(false);
        return [.. list.GetProperty("data").EnumerateArray()];
    }

    public Task<JsonElement> ConnectorAsync(string type, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/api/connectors/" + Json.Segment(type)), cancellationToken);

    /// <summary>Definitions of functions that language models call to edit workflows.</summary>
    public Task<JsonElement> ToolsAsync(CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/api/tools"), cancellationToken);
}
