using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Workflows.Store;

namespace OpenWop.Micro.Workflows.Api;

/// <summary>The service's face: whose definitions, which version, what is stored.</summary>
internal sealed class WorkflowsGrpcService(WorkflowStore store) : Contracts.Workflows.V1.Workflows.WorkflowsBase
{
    private const int DefaultPage = 100;
    private const int MaxPage = 500;

    public override async Task<Definition> GetDefinition(GetDefinitionRequest request, ServerCallContext context)
    {
        var tenant = context.TenantOf(request.Tenant);
        var definition = request.Version == 0
            ? await store.FindHeadAsync(tenant, request.WorkflowId, context.CancellationToken)
            : await FindVersionAsync(tenant, request, context.CancellationToken);
        return definition is null ? throw new ProtocolException(ProtocolError.NotFound("workflow")) : Map(definition, withJson: true);
    }

    public override async Task<PutDefinitionReply> PutDefinition(PutDefinitionRequest request, ServerCallContext context)
    {
        if (DefinitionCheck.Validate(request.WorkflowId, request.Json.Memory) is { } error)
        {
            throw new ProtocolException(error);
        }

        var result = await store.PutAsync(
            context.TenantOf(""),
            request.WorkflowId,
            request.Json.Memory,
            new Expectation(request.IfMatch is { Length: > 0 } etag ? etag : null, request.IfNoneMatch),
            request.RequestId is { Length: > 0 } requestId ? requestId : null,
            context.GetCaller().Principal,
            context.CancellationToken);
        return new PutDefinitionReply { Version = result.Version, Etag = result.ETag, Created = result.Created };
    }

    public override async Task<ListDefinitionsReply> ListDefinitions(ListDefinitionsRequest request, ServerCallContext context)
    {
        var limit = request.Limit is > 0 and <= MaxPage ? request.Limit : DefaultPage;
        var found = await store.ListAsync(context.TenantOf(request.Tenant), request.After, limit + 1, context.CancellationToken);
        var reply = new ListDefinitionsReply { Next = found.Count > limit ? found[limit - 1].WorkflowId : "" };
        reply.Definitions.AddRange(found.Take(limit).Select(definition => Map(definition, request.WithJson)));
        return reply;
    }

    /// <summary>A version of the tenant, or a seeded one; a service may name the owner that it pinned.</summary>
    private async Task<StoredDefinition?> FindVersionAsync(string tenant, GetDefinitionRequest request, CancellationToken cancellationToken) =>
        request.Owner is WorkflowStore.SeedOwner
            ? await store.FindVersionAsync(WorkflowStore.SeedOwner, request.WorkflowId, request.Version, cancellationToken)
            : await store.FindVersionAsync(tenant, request.WorkflowId, request.Version, cancellationToken);

    private static Definition Map(StoredDefinition definition, bool withJson) => new()
    {
        WorkflowId = definition.WorkflowId,
        Version = definition.Version,
        Owner = definition.Owner,
        Etag = definition.ETag,
        Json = withJson ? UnsafeByteOperations.UnsafeWrap(definition.Document) : ByteString.Empty,
    };
}
