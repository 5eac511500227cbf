using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Editing;

/// <summary>Workflows as files.</summary>
internal sealed partial class Editor
{
    /// <param name="version">0 = the newest.</param>
    public async Task<Edited> ExportAsync(string tenant, string workflowId, long version, CancellationToken cancellationToken)
    {
        var (head, definition) = await HeadAsync(tenant, workflowId, cancellationToken);
        if (version != 0)
            definition = await VersionAsync(tenant, workflowId, version, cancellationToken);

        var exported = version == 0 ? head.Version : version;
        return new Edited(WorkflowFile.Write(workflowId, exported, definition, connectors), exported);
    }

    /// <summary>
    /// Stores the definition of a file: as a new workflow, or as the version after <paramref name="expected"/>. What the file was made
    /// of plays no part: ids of other tenants mean nothing here.
    /// </summary>
    /// <param name="workflowId">Null = a new id.</param>
    /// <param name="expected">0 = the workflow is new.</param>
    /// <exception cref="ProtocolException">400, 404, <c>workflow_exists</c> or <c>precondition_failed</c>.</exception>
    public async Task<Edited> ImportAsync(
        string tenant, string? workflowId, long expected, ReadOnlyMemory<byte> file, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        var id = workflowId ?? WorkflowIds.Make(tenant, requestId);
        var (document, omitted) = WorkflowFile.Read(file, id, connectors);
        if (WorkflowValidator.Validate(document.Span).ToProtocolError() is { } error)
            throw new ProtocolException(error);

        var definition = JsonElement.Parse(document.Span, new JsonDocumentOptions { MaxDepth = WorkflowLimits.Document.MaxDepth });
        var graph = DefinitionDocument.Read(id, definition);
        var version = expected > 0
            ? await store.WriteVersionAsync(tenant, id, expected, document, graph.Name, requestId, principal, cancellationToken)
            : await CreateAsync(tenant, id, document, graph.Name, requestId, principal, cancellationToken);
        return new Edited(BlockView.Imported(id, version, FormatOf(definition), graph, BlockChecks.Check(graph, connectors), omitted), version);
    }

    private async Task<long> CreateAsync(
        string tenant, string id, ReadOnlyMemory<byte> document, string? name, string? requestId, string? principal, CancellationToken cancellationToken)
    {
        var isRepeated = requestId is not null && await store.FindRequestedVersionAsync(tenant, id, requestId, cancellationToken) is not null;
        if (!isRepeated && await store.FindOwnHeadAsync(tenant, id, cancellationToken) is { } head)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.WorkflowExists, "A workflow of this id exists: If-Match makes the import its next version.", new JsonObject { ["current"] = head.Version }));
        }

        var stored = await store.PutAsync(
            tenant, id, document, new Expectation(null, IfNoneMatch: true), requestId, principal, cancellationToken, StoredName.Of(id, name));
        return stored.Version;
    }
}
