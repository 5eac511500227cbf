using OpenWop.Micro.Gateway.Routing;

namespace OpenWop.Micro.Gateway.OpenApi;

/// <summary>
/// The OpenAPI 3.1 descriptions of what this process serves. They are made of the routes themselves, each of which carries its row of the
/// table: what is not mapped here, such as the seams for tests, is not described.
/// </summary>
internal sealed class OpenApiDocuments(EndpointDataSource endpoints)
{
    private readonly Lazy<OpenApiDocument> _protocol = new(() => Create(ApiPlane.Protocol, endpoints));
    private readonly Lazy<OpenApiDocument> _authoring = new(() => Create(ApiPlane.Authoring, endpoints));

    public OpenApiDocument Protocol => _protocol.Value;

    public OpenApiDocument Authoring => _authoring.Value;

    private static OpenApiDocument Create(ApiPlane plane, EndpointDataSource endpoints) => new(new OpenApiWriter(plane).Write(
        [.. endpoints.Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<Operation>()).OfType<Operation>().Where(operation => ApiPlane.Of(operation) == plane)]));
}
