using System.Buffers.Text;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Workflows.Editing;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Api;

/// <summary>Editing's face: whose workflows, and what the caller may do with them.</summary>
internal sealed class EditingGrpcService(Editor editor, Catalogue catalogue, WorkflowStore store) : Contracts.Workflows.V1.Editing.EditingBase
{
    private const int MaxPage = 500;
    private const int MaxRequestIdLength = 128;

    public override async Task<EditedDocument> CreateWorkflow(CreateWorkflowRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.WorkflowsWrite);
        return Map(await editor.CreateAsync(
            tenant, Filled(request.Name), Filled(request.Description), RequestIdOf(request.RequestId), context.GetCaller().Principal, context.CancellationToken));
    }

    public override async Task<EditedDocument> GetWorkflow(GetWorkflowRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.ManifestRead);
        return Map(request.Version == 0
            ? await editor.GetAsync(tenant, request.WorkflowId, context.CancellationToken)
            : await editor.GetVersionAsync(tenant, request.WorkflowId, request.Version, context.CancellationToken));
    }

    public override async Task<CheckWorkflowReply> CheckWorkflow(GetWorkflowRequest request, ServerCallContext context)
    {
        // Whoever may start a run learns why it cannot.
        var errors = await editor.CheckAsync(TenantOf(context, Scopes.RunsCreate), request.WorkflowId, context.CancellationToken);
        return errors.Count == 0 ? new CheckWorkflowReply() : new CheckWorkflowReply { Errors = UnsafeByteOperations.UnsafeWrap(BlockView.Errors(errors)) };
    }

    public override async Task<ListWorkflowsReply> ListWorkflows(ListWorkflowsRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.ManifestRead);
        var limit = LimitOf(request.Limit);
        var page = await store.ListOwnAsync(tenant, request.After, limit + 1, context.CancellationToken);
        var reply = new ListWorkflowsReply { Next = page.Count > limit ? page[limit - 1].WorkflowId : "" };
        reply.Workflows.AddRange(page.Take(limit).Select(workflow => new Contracts.Workflows.V1.ListedWorkflow
        {
            WorkflowId = workflow.WorkflowId,
            Version = workflow.Version,
            Name = workflow.Name ?? "",
        }));
        return reply;
    }

    public override async Task<EditedDocument> ApplyOperations(ApplyOperationsRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.WorkflowsWrite);
        return Map(await editor.ApplyAsync(
            tenant, request.WorkflowId, request.IfMatch, request.Body.Memory, request.DryRun, RequestIdOf(request.RequestId),
            context.GetCaller().Principal, context.CancellationToken));
    }

    public override async Task<ListVersionsReply> ListVersions(ListVersionsRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.ManifestRead);
        var limit = LimitOf(request.Limit);
        if (!WorkflowIds.IsPossible(request.WorkflowId) || await store.FindOwnHeadAsync(tenant, request.WorkflowId, context.CancellationToken) is null)
            throw new ProtocolException(ProtocolError.NotFound("workflow"));

        var page = await store.ListVersionsAsync(tenant, request.WorkflowId, request.After, limit + 1, context.CancellationToken);
        var reply = new ListVersionsReply { Next = page.Count > limit ? page[limit - 1].Version : 0 };
        reply.Versions.AddRange(page.Take(limit).Select(version => new Contracts.Workflows.V1.ListedVersion
        {
            Version = version.Version,
            Etag = version.ETag,
            CreatedAt = version.CreatedAt,
            CreatedBy = version.CreatedBy ?? "",
        }));
        return reply;
    }

    public override async Task<EditedDocument> Rollback(RollbackRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.WorkflowsWrite);
        return Map(await editor.RollbackAsync(
            tenant, request.WorkflowId, request.IfMatch, request.Version, RequestIdOf(request.RequestId), context.GetCaller().Principal, context.CancellationToken));
    }

    public override async Task<EditedDocument> ExportWorkflow(GetWorkflowRequest request, ServerCallContext context) =>
        Map(await editor.ExportAsync(TenantOf(context, Scopes.ManifestRead), request.WorkflowId, request.Version, context.CancellationToken));

    public override async Task<EditedDocument> ImportWorkflow(ImportWorkflowRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.WorkflowsWrite);
        return Map(await editor.ImportAsync(
            tenant, Filled(request.WorkflowId), request.IfMatch, request.Body.Memory, RequestIdOf(request.RequestId), context.GetCaller().Principal, context.CancellationToken));
    }

    public override async Task<DeleteWorkflowReply> DeleteWorkflow(DeleteWorkflowRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(context, Scopes.WorkflowsWrite);
        if (!WorkflowIds.IsPossible(request.WorkflowId))
            throw new ProtocolException(ProtocolError.NotFound("workflow"));

        await store.DeleteAsync(tenant, request.WorkflowId, request.IfMatch, context.CancellationToken);
        return new DeleteWorkflowReply();
    }

    public override Task<CatalogueDocument> GetCatalogue(GetCatalogueRequest request, ServerCallContext context)
    {
        TenantOf(context, Scopes.ManifestRead);
        var json = request.Type.Length == 0
            ? catalogue.All(request.Full)
            : catalogue.One(request.Type) ?? throw new ProtocolException(ProtocolError.NotFound("block type"));
        return Task.FromResult(Map(json));
    }

    public override Task<CatalogueDocument> GetTools(GetToolsRequest request, ServerCallContext context)
    {
        TenantOf(context, Scopes.ManifestRead);
        return Task.FromResult(Map(ToolList.Json));
    }

    private static string TenantOf(ServerCallContext context, string scope)
    {
        var caller = context.GetCaller();
        return caller.IsService || caller.HasScope(scope)
            ? DefinitionOwner.Of(context)
            : throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = scope }));
    }

    private static int LimitOf(int limit) =>
        limit is >= 1 and <= MaxPage ? limit : throw new ProtocolException(ProtocolError.Validation($"'limit' must be from 1 to {MaxPage}.", "limit"));

    private static string? RequestIdOf(string requestId) =>
        requestId.Length <= MaxRequestIdLength ? Filled(requestId) : throw new ProtocolException(ProtocolError.Validation("The request id is too long."));

    private static string? Filled(string text) => text.Length == 0 ? null : text;

    private static EditedDocument Map(Edited edited) => new() { Json = UnsafeByteOperations.UnsafeWrap(edited.Json), Version = edited.Version };

    private static CatalogueDocument Map(ReadOnlyMemory<byte> json) => new()
    {
        Json = UnsafeByteOperations.UnsafeWrap(json),
        Etag = Base64Url.EncodeToString(SHA256.HashData(json.Span).AsSpan(0, 16)),
    };
}
