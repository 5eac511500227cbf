using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Workflows;

/// <summary>What workflows can be made of. Needs the scope <c>manifest:read</c>.</summary>
public sealed class CatalogueClient
{
    private readonly OpenWopTransport _transport;

    internal CatalogueClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>All connectors: <c>{type, name, description, category, kind}</c>.</summary>
    /// <param name="full">With <c>subBlocks</c>, the parameters that may be set, and <c>outputs</c>.</param>
    public async Task<IReadOnlyList<JsonElement>> ConnectorsAsync(bool full = false, CancellationToken cancellationToken = default)
    {
        var list = await _transport.JsonAsync(new Request(HttpMethod.Get, full ? "/api/connectors?detail=full" : "/api/connectors"), cancellationToken)
            .ConfigureAwait(false);
        return [.. list.GetProperty("data").EnumerateArray()];
    }

    /// <summary>A connector with its parameters and outputs.</summary>
    /// <exception cref="OpenWopException">404: there is none of this type.</exception>
    public Task<JsonElement> ConnectorAsync(string type, CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/api/connectors/" + Json.Segment(type)), cancellationToken);

    /// <summary>What language models need to edit workflows: <c>operations</c> as JSON Schemas, and <c>tools</c>, functions that they call.</summary>
    public Task<JsonElement> ToolsAsync(CancellationToken cancellationToken = default) =>
        _transport.JsonAsync(new Request(HttpMethod.Get, "/api/tools"), cancellationToken);
}
