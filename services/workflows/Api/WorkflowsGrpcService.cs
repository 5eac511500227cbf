using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Api;

/// <summary>The service's face: whose definitions, which version, what is stored.</summary>
internal sealed class WorkflowsGrpcService(WorkflowStore store) : Contracts.Workflows.V1.Workflows.WorkflowsBase
{
    private const int DefaultPage = 100;
    private const int MaxPage = 500;

    /// <summary>Documents in one page, in bytes: far from what a message may have. One document always fits.</summary>
    private const int MaxPageBytes = 3 << 20;

    private const int MaxRequestIdLength = 128;

    public override async Task<Definition> GetDefinition(GetDefinitionRequest request, ServerCallContext context)
    {
        RequireScope(context, Scopes.ManifestRead);
        var tenant = DefinitionOwner.Of(context, request.Tenant, request.Test);
        var found = !IsPossibleId(request.WorkflowId) || request.Version < 0 ? null
            : request.Owner.Length > 0 ? await FindPinnedAsync(tenant, request, context.CancellationToken)
            : request.Version == 0 ? await store.FindHeadAsync(tenant, request.WorkflowId, context.CancellationToken)
            : await store.FindVisibleVersionAsync(tenant, request.WorkflowId, request.Version, context.CancellationToken);
        return found is null ? throw new ProtocolException(ProtocolError.NotFound("workflow")) : Map(found);
    }

    public override async Task<PutDefinitionReply> PutDefinition(PutDefinitionRequest request, ServerCallContext context)
    {
        RequireScope(context, Scopes.WorkflowsWrite);
        var tenant = DefinitionOwner.Of(context);
        var validated = WorkflowValidator.Validate(request.Json.Span);
        if ((validated.ToProtocolError() ?? CheckRequest(request, validated.Definition!)) is { } error)
            throw new ProtocolException(error);

        var result = await store.PutAsync(
            tenant,
            request.WorkflowId,
            request.Json.Memory,
            new Expectation(request.IfMatch is { Length: > 0 } etag ? etag : null, request.IfNoneMatch),
            request.RequestId is { Length: > 0 } requestId ? requestId : null,
            context.GetCaller().Principal,
            context.CancellationToken,
            StoredName.Of(request.WorkflowId, validated.Definition!.Name));
        return new PutDefinitionReply { Version = result.Version, Etag = result.ETag, Created = result.Created };
    }

    public override async Task<ListDefinitionsReply> ListDefinitions(ListDefinitionsRequest request, ServerCallContext context)
    {
        RequireScope(context, Scopes.ManifestRead);
        var tenant = DefinitionOwner.Of(context, request.Tenant, request.Test);
        var limit = request.Limit switch
        {
            0 => DefaultPage,
            > 0 and <= MaxPage => request.Limit,
            _ => throw new ProtocolException(ProtocolError.Validation($"'limit' must be from 1 to {MaxPage}.", "limit")),
        };
        var (page, hasMore) = await store.ListAsync(tenant, request.After, limit, request.WithJson ? MaxPageBytes : null, context.CancellationToken);
        var reply = new ListDefinitionsReply { Next = hasMore ? page[^1].WorkflowId : "" };
        reply.Definitions.AddRange(page.Select(Map));
        return reply;
    }

    /// <summary>The gateway has checked that already; a second check costs nothing. Services act in the name of the installation.</summary>
    private static void RequireScope(ServerCallContext context, string scope)
    {
        var caller = context.GetCaller();
        if (!caller.IsService && !caller.HasScope(scope))
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = scope }));
        }
    }

    /// <summary>Exactly what a run has pinned. Another owner than the tenant itself or the seeds is as good as none.</summary>
    private async Task<StoredDefinition?> FindPinnedAsync(string tenant, GetDefinitionRequest request, CancellationToken cancellationToken)
    {
        if (request.Owner != tenant && request.Owner != WorkflowStore.SeedOwner)
            return null;

        return request.Version == 0
            ? await store.FindHeadAsync(request.Owner, request.WorkflowId, cancellationToken) is { } head && head.Owner == request.Owner ? head : null
            : await store.FindVersionAsync(request.Owner, request.WorkflowId, request.Version, cancellationToken);
    }

    private static ProtocolError? CheckRequest(PutDefinitionRequest request, WorkflowDefinition definition) =>
        definition.Id != request.WorkflowId ? ProtocolError.Validation("The id of the definition differs from the id in the path.", "id")
        : request.RequestId.Length > MaxRequestIdLength ? ProtocolError.Validation($"A request id may have at most {MaxRequestIdLength} characters.")
        : request is { IfNoneMatch: true, IfMatch.Length: > 0 } ? ProtocolError.Validation("If-Match and If-None-Match exclude each other.")
        : null;

    private static bool IsPossibleId(string workflowId) => CodePoints.Count(workflowId) is > 0 and <= RunOptionLimits.MaxIdLength;

    private static Definition Map(StoredDefinition definition) => new()
    {
        WorkflowId = definition.WorkflowId,
        Version = definition.Version,
        Owner = definition.Owner,
        Etag = definition.ETag,
        Json = UnsafeByteOperations.UnsafeWrap(definition.Document),
    };
}
