using System.Text.Json;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OpenWop.Micro.Gateway.Tests;

/// <summary>The documents against the routes that the process has mapped.</summary>
public sealed class OpenApiTests
{
    private static readonly string[] Documents = ["/v1/openapi.json", "/api/openapi.json"];

    /// <summary>Probes of the process, not of the API; and gRPC, which protos describe.</summary>
    private static readonly string[] Elsewhere = ["GET /healthz", "GET /readyz"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_route_that_is_served_is_described_and_no_other(bool hasSeams)
    {
        await using var gateway = await StartAsync(hasSeams);
        var described = new List<string>();
        foreach (var document in Documents)
        {
            var json = await ReadAsync(gateway, document);
            Assert.Equal("3.1.0", json.GetProperty("openapi").GetString());
            Assert.Contains(json.GetProperty("externalDocs").GetProperty("url").GetString(), Documents);
            described.AddRange(json.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")));
        }

        var served = gateway.Provider.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => !endpoint.Metadata.OfType<GrpcMethodMetadata>().Any())
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText!.Replace("{**", "{", StringComparison.Ordinal).TrimEnd('/')}"))
            .Except(Elsewhere);
        Assert.Equal(served.Order(), described.Order());
        Assert.Equal(hasSeams, described.Exists(route => route.Contains("/v1/host/sample/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_document_of_the_protocol_has_its_routes_and_the_other_one_the_rest()
    {
        await using var gateway = await StartAsync(hasSeams: true);
        Assert.All((await ReadAsync(gateway, Documents[0])).GetProperty("paths").EnumerateObject(), path => Assert.Matches("^/(v1|\\.well-known)/", path.Name));
        Assert.All((await ReadAsync(gateway, Documents[1])).GetProperty("paths").EnumerateObject(), path => Assert.Matches("^/(api/|health$)", path.Name));
    }

    [Fact]
    public async Task Every_reference_leads_somewhere_and_every_component_is_referred_to()
    {
        await using var gateway = await StartAsync(hasSeams: true);
        foreach (var document in Documents)
        {
            var json = await ReadAsync(gateway, document);
            var references = References(json).ToHashSet(StringComparer.Ordinal);
            foreach (var reference in references)
            {
                var found = reference.Split('/').Skip(1).Aggregate((JsonElement?)json, (at, name) => at is { } here && here.TryGetProperty(name, out var next) ? next : null);
                Assert.True(found is not null, reference);
            }

            var components = Components(document);
            Assert.DoesNotContain(components, component => !references.Contains("#/components/" + component));
        }
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_what_it_answers_and_what_may_go_wrong()
    {
        await using var gateway = await StartAsync(hasSeams: true);
        foreach (var document in Documents)
        {
            foreach (var operation in (await ReadAsync(gateway, document)).GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(method => method.Value))
            {
                var id = operation.GetProperty("operationId").GetString()!;
                Assert.True(operation.GetProperty("summary").GetString() is { Length: > 0 }, id);
                var statuses = operation.GetProperty("responses").EnumerateObject().Select(response => response.Name).ToList();
                Assert.True(statuses.Exists(status => status[0] == '2') && statuses.Contains("500"), id);
                Assert.True(operation.GetProperty("security").GetArrayLength() == 0 || statuses.Contains("401"), id);
            }
        }
    }

    /// <summary>All components in the file that a document is made with; the document itself has only those that it needs.</summary>
    private static IEnumerable<string> Components(string document)
    {
        var name = document.StartsWith("/v1/", StringComparison.Ordinal) ? "openapi.protocol.components.json" : "openapi.authoring.components.json";
        using var resource = typeof(GatewayService).Assembly.GetManifestResourceStream(name)!;
        using var components = JsonDocument.Parse(resource);
        return [.. new[] { "parameters", "schemas" }.SelectMany(kind => components.RootElement.GetProperty(kind).EnumerateObject().Select(component => $"{kind}/{component.Name}"))];
    }

    private static async Task<JsonElement> ReadAsync(GatewayHost gateway, string document) => await (await gateway.SendAsync("GET", document, key: "")).JsonAsync();

    private static Task<GatewayHost> StartAsync(bool hasSeams) => GatewayHost.StartAsync(null, hasSeams ? ["--OPENWOP_TEST_SEAM_ENABLED=true"] : []);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
