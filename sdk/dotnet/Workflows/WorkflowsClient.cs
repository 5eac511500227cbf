using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Workflows;

/// <summary>
/// Workflows: definitions of the protocol, and the same workflows as blocks that are edited by operations. Reading needs the scope
/// <c>manifest:read</c>, changing <c>workflows:write</c>. A workflow that does not exist, or is somebody else's, is 404.
/// </summary>
public sealed class WorkflowsClient
{
    private readonly OpenWopTransport _transport;

    internal WorkflowsClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Stores a definition as a new version.</summary>
    /// <param name="workflowId">1 to 128 URL-safe characters.</param>
    /// <param name="utf8">The definition as UTF-8 JSON, kept byte for byte; a few MiB at most, as the server advertises.</param>
    /// <exception cref="OpenWopException">400 <c>validation_error</c>: it is no sound definition; 413: it is too large.</exception>
    public Task<StoredDefinition> PutDefinitionAsync(string workflowId, byte[] utf8, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<StoredDefinition>(Request.Once(HttpMethod.Put, "/v1/workflows/" + Json.Segment(workflowId), utf8), cancellationToken);

    /// <summary>The newest definition.</summary>
    public Task<JsonElement> GetDefinitionAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/v1/workflows/" + Json.Segment(workflowId)), cancellationToken);

    /// <summary>Makes an empty workflow, version 1.</summary>
    /// <param name="name">Up to 256 characters.</param>
    /// <param name="description">Up to 10,000 characters.</param>
    public Task<WorkflowDocument> CreateAsync(string? name = null, string? description = null, CancellationToken cancellationToken = default)
    {
        var body = name is null && description is null ? Json.Bytes(new { }) : Json.Bytes(new { metadata = new { name, description } });
        return _transport.ReadAsync<WorkflowDocument>(Request.Once(HttpMethod.Post, "/api/workflows", body), cancellationToken);
    }

    /// <summary>A page of workflows.</summary>
    /// <param name="limit">1 to 200; null = the server's choice.</param>
    /// <param name="after">The cursor of the page before.</param>
    public Task<Page<WorkflowDescription>> ListAsync(int? limit = null, string? after = null, CancellationToken cancellationToken = default) =>
        _transport.PageAsync<WorkflowDescription>("/api/workflows", limit, after, cancellationToken);

    /// <summary>All workflows, page by page.</summary>
    public IAsyncEnumerable<WorkflowDescription> ListAllAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<WorkflowDescription>("/api/workflows", cancellationToken);

    /// <summary>The newest version as blocks.</summary>
    public Task<WorkflowDocument> GetAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<WorkflowDocument>(new Request(HttpMethod.Get, Path(workflowId)), cancellationToken);

    /// <summary>Applies edit operations. What cannot be applied is left out and explained.</summary>
    /// <param name="workflowId">The workflow.</param>
    /// <param name="version">The version that the operations were made for.</param>
    /// <param name="operations">An array of edit operations, see docs/control-plane.md.</param>
    /// <param name="dryRun">Only tells what would become of them; stores nothing.</param>
    /// <exception cref="OpenWopException">
    /// 400: <paramref name="operations"/> is no array; 412 <c>version_mismatch</c>: somebody was faster, <c>current</c> in the body is the version now.
    /// </exception>
    public Task<PatchResult> PatchAsync(string workflowId, int version, JsonElement operations, bool dryRun = false, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<PatchResult>(
            Request.Once(HttpMethod.Post, Path(workflowId) + "/operations" + (dryRun ? "?dry_run=true" : ""), Json.Bytes(new { ops = operations })) with { IfMatch = Tag(version) },
            cancellationToken);

    /// <summary>All versions, oldest first.</summary>
    public IAsyncEnumerable<WorkflowVersion> VersionsAsync(string workflowId, CancellationToken cancellationToken = default) =>
        _transport.AllAsync<WorkflowVersion>(Path(workflowId) + "/versions", cancellationToken);

    /// <summary>A version as blocks: <c>{version, workflow}</c>.</summary>
    public Task<JsonElement> GetVersionAsync(string workflowId, int version, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, $"{Path(workflowId)}/versions/{Tag(version)}"), cancellationToken);

    /// <summary>Makes the content of an old version the newest one: <c>{version, workflow}</c>.</summary>
    /// <param name="workflowId">The workflow.</param>
    /// <param name="current">The version that is the newest; another one is 412 <c>version_mismatch</c>.</param>
    /// <param name="to">The version whose content is wanted; one that does not exist is 404.</param>
    public Task<JsonElement> RollbackAsync(string workflowId, int current, int to, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(
            Request.Once(HttpMethod.Post, Path(workflowId) + "/rollback", Json.Bytes(new { version = to })) with { IfMatch = Tag(current) }, cancellationToken);

    /// <summary>A workflow as a file without secrets, to be imported here or elsewhere; what was left out stands in <c>omitted</c>.</summary>
    /// <param name="workflowId">The workflow.</param>
    /// <param name="version">Null = the newest.</param>
    public Task<JsonElement> ExportAsync(string workflowId, int? version = null, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, Path(workflowId) + "/export" + (version is { } number ? "?version=" + Tag(number) : "")), cancellationToken);

    /// <summary>Makes a workflow of a file, or the next version of one.</summary>
    /// <param name="utf8">The file as UTF-8 JSON, up to 4 MiB.</param>
    /// <param name="workflowId">The id that it shall have; null = the server makes one.</param>
    /// <param name="version">The newest version of a workflow that there is, which the import then follows; null = there must be none.</param>
    /// <exception cref="OpenWopException">
    /// 400 <c>validation_error</c>: it is no such file; 409 <c>workflow_exists</c> with <c>current</c>; 412 <c>version_mismatch</c>: somebody was faster.
    /// </exception>
    public Task<ImportedWorkflow> ImportAsync(byte[] utf8, string? workflowId = null, int? version = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<ImportedWorkflow>(
            Request.Once(HttpMethod.Post, "/api/workflows/import" + (workflowId is null ? "" : "?id=" + Json.Segment(workflowId)), utf8) with
            {
                IfMatch = version is { } number ? Tag(number) : null,
            },
            cancellationToken);

    /// <summary>Deletes a workflow. Runs that have started go on with the version that they were started with.</summary>
    /// <param name="workflowId">The workflow.</param>
    /// <param name="version">The newest version; another one is 412 <c>version_mismatch</c>.</param>
    public Task DeleteAsync(string workflowId, int version, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, Path(workflowId)) with { IfMatch = Tag(version) }, cancellationToken);

    private static string Tag(int version) => version.ToString(CultureInfo.InvariantCulture);

    private static string Path(string workflowId) => "/api/workflows/" + Json.Segment(workflowId);
}
