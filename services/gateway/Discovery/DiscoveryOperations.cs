using OpenWop.Micro.Gateway.OpenApi;
using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.Discovery;

/// <summary>The public documents. No credential is asked for, and one that comes along is not looked at.</summary>
internal sealed class DiscoveryOperations(CapabilitiesSource capabilities, OpenApiDocuments openApi)
{
    private const string CacheControl = "public, max-age=300";

    /// <summary><c>GET /.well-known/openwop</c>.</summary>
    public async Task<Answer> GetCapabilitiesAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var document = await capabilities.GetAsync(cancellationToken);
        return Document(call, document.Json, document.ETag) with { CapabilitiesETag = document.CapabilitiesETag };
    }

    /// <summary><c>GET /v1/openapi.json</c>.</summary>
    public Task<Answer> GetOpenApiAsync(OperationCall call, CancellationToken cancellationToken) =>
        Task.FromResult(Document(call, openApi.Protocol.Json, openApi.Protocol.ETag));

    /// <summary><c>GET /api/openapi.json</c>.</summary>
    public Task<Answer> GetAuthoringOpenApiAsync(OperationCall call, CancellationToken cancellationToken) =>
        Task.FromResult(Document(call, openApi.Authoring.Json, openApi.Authoring.ETag));

    private static Answer Document(OperationCall call, ReadOnlyMemory<byte> json, string etag) =>
        (EntityTag.Matches(call.IfNoneMatch, etag) ? new Answer(StatusCodes.Status304NotModified, default) : Answer.Json(StatusCodes.Status200OK, json))
        with
        { ETag = etag, CacheControl = CacheControl };
}
