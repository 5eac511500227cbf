using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Protocol.Errors;
using EditingClient = OpenWop.Micro.Contracts.Workflows.V1.Editing.EditingClient;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>What workflows are made of: block types and operations.</summary>
internal sealed class CatalogueCalls(EditingClient editing)
{
    private const int MaxType = 128;

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var isFull = call.Query("detail") switch
        {
            null or "" or "summary" => false,
            "full" => true,
            _ => throw new ProtocolException(ProtocolError.Validation("'detail' must be summary or full.", "detail")),
        };
        return Document(call, await editing.GetCatalogueAsync(new GetCatalogueRequest { Full = isFull }, Options(call, cancellationToken)));
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        if (call.ResourceId.Length is 0 or > MaxType)
            throw new ProtocolException(ProtocolError.NotFound("block type"));

        return Document(call, await editing.GetCatalogueAsync(new GetCatalogueRequest { Type = call.ResourceId }, Options(call, cancellationToken)));
    }

    public async Task<Answer> ToolsAsync(OperationCall call, CancellationToken cancellationToken) =>
        Document(call, await editing.GetToolsAsync(new GetToolsRequest(), Options(call, cancellationToken)));

    private static Answer Document(OperationCall call, CatalogueDocument document) => EntityTag.Matches(call.IfNoneMatch, document.Etag)
        ? new Answer(StatusCodes.Status304NotModified, default) { ETag = document.Etag }
        : Answer.Json(StatusCodes.Status200OK, document.Json.Memory) with { ETag = document.Etag };

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(WorkflowOperations.Service, RunOperations.Patience, cancellationToken);
}
