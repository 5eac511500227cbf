using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.1: what a host says about itself.</summary>
internal static class DiscoveryScenarios
{
    private const string Section = "7.1 Discovery";
    private const string Discovery = "/.well-known/openwop";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Discovery needs no credential and names the core members", Gate.Base, CoreMembersAsync),
        new(Section, "A bad credential does not matter to discovery", Gate.Base, async suite => (await suite.As("not-a-key-of-this-host").GetAsync(Discovery)).Expecting(200)),
        new(Section, "Discovery may be cached", Gate.Base, async suite =>
            Expect.That((await suite.Anonymous.GetAsync(Discovery)).Header("Cache-Control") is { Length: > 0 }, "Cache-Control is missing")),
        new(Section, "The tag of the capabilities is stable", Gate.Base, CapabilitiesTagAsync),
        new(Section, "The three limits of envelopes are whole numbers", Gate.Base, LimitsAsync),
        new(Section, "Every advertised fixture exists, once", Gate.Base, FixturesAsync),
        new(Section, "Runtime capabilities are distinct names", Gate.Family("runtimeCapabilities"), suite => DistinctNamesAsync(suite, "runtimeCapabilities")),
        new(Section, "A node whose requirement is not met does not execute", Gate.Fixtures("conformance-capability-missing"), MissingRequirementAsync),
        new(Section, "The OpenAPI document is public and of version 3.1 or later", Gate.Base, OpenApiAsync),
        new(Section, "A block about MCP has its shape", Gate.Family("mcp"), McpAsync),
        new(Section, "A block about gRPC has its shape", Gate.Family("grpc"), async suite =>
        {
            Expect.That(suite.Advertised.Contains("grpc", "supportedTransports"), "grpc is not among the transports");
            Expect.Equal("openwop.v1.Engine", suite.Advertised["grpc", "service"].GetString(), "grpc.service");
            await Task.CompletedTask;
        }),
    ];

    private static async Task CoreMembersAsync(Suite suite)
    {
        var json = (await suite.Anonymous.GetAsync(Discovery)).Expecting(200).Json;
        Expect.That(json.GetProperty("protocolVersion").GetString()!.StartsWith("1.", StringComparison.Ordinal), "protocolVersion is not of version 1");
        Expect.That(json.GetProperty("supportedEnvelopes").EnumerateArray().All(name => name.ValueKind == JsonValueKind.String), "supportedEnvelopes is no list of texts");
        Expect.Equal(JsonValueKind.Object, json.GetProperty("schemaVersions").ValueKind, "schemaVersions");
        Expect.That(!json.GetRawText().Contains("\"edit\"", StringComparison.Ordinal), "The legacy action 'edit' is advertised.");
    }

    private static async Task CapabilitiesTagAsync(Suite suite)
    {
        var first = (await suite.Anonymous.GetAsync(Discovery)).Header("Capabilities-Etag");
        var second = (await suite.Anonymous.GetAsync(Discovery)).Header("Capabilities-Etag");
        Expect.Equal(first, second, "Capabilities-Etag");
        Expect.That(first is null || !string.IsNullOrWhiteSpace(first), "Capabilities-Etag is blank");
    }

    private static async Task LimitsAsync(Suite suite)
    {
        var limits = (await suite.Anonymous.GetAsync(Discovery)).Json.GetProperty("limits");
        foreach (var name in new[] { "clarificationRounds", "schemaRounds", "envelopesPerTurn" })
            Expect.That(limits.GetProperty(name).TryGetInt64(out var limit) && limit >= 0, $"limits.{name} is no whole number from 0");
    }

    private static async Task FixturesAsync(Suite suite)
    {
        await DistinctNamesAsync(suite, "fixtures");
        await Parallel.ForEachAsync(suite.Advertised["fixtures"].EnumerateArray(), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (id, _) =>
        {
            var definition = (await suite.Host.GetAsync($"/v1/workflows/{id.GetString()}")).Expecting(200).Json;
            Expect.Equal(id.GetString(), definition.GetProperty("id").GetString(), "id of a fixture");
        });
    }

    private static Task DistinctNamesAsync(Suite suite, string member)
    {
        var names = suite.Advertised[member].EnumerateArray().Select(name => name.GetString()).ToList();
        Expect.That(names.All(name => name is { Length: > 0 }), $"{member} has an empty name");
        Expect.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count(), $"distinct names in {member}");
        return Task.CompletedTask;
    }

    private static async Task MissingRequirementAsync(Suite suite)
    {
        var runId = await suite.CreateAsync("conformance-capability-missing");
        var snapshot = await suite.UntilAsync(runId, "failed");
        var error = snapshot.GetProperty("error");
        Expect.Equal("capability_not_provided", error.GetProperty("code").GetString(), "error.code");
        Expect.That(error.GetProperty("message").GetString()!.Contains("conformance.never-provided", StringComparison.Ordinal), "The message does not name what is missing.");
        Expect.That(!Suite.TypesOf(await suite.EventsAsync(runId)).Contains("node.completed"), "The node was executed.");
    }

    private static async Task OpenApiAsync(Suite suite)
    {
        var json = (await suite.Anonymous.GetAsync("/v1/openapi.json")).Expecting(200).Json;
        var version = json.GetProperty("openapi").GetString()!;
        Expect.That(Version.Parse(version) >= new Version(3, 1), $"openapi is {version}");
        Expect.That(json.GetProperty("paths").EnumerateObject().Any(path => path.NameEquals("/v1/runs")), "The document does not describe /v1/runs.");
    }

    /// <summary>The published schema has no place for the addresses of servers; earlier revisions of the protocol did.</summary>
    private static Task McpAsync(Suite suite)
    {
        Expect.OneOf(suite.Advertised["mcp", "supported"].ValueKind, "mcp.supported", JsonValueKind.True, JsonValueKind.False);
        if (suite.Advertised["mcp", "serverUrls"] is { ValueKind: JsonValueKind.Array } urls)
            Expect.That(urls.EnumerateArray().All(url => url.GetString() is { Length: > 0 } text && (text[0] == '/' || text.StartsWith("http", StringComparison.Ordinal))), "mcp.serverUrls");
        if (suite.Advertised.Has("mcp", "serverMount", "supported"))
            Expect.That(suite.Advertised.Contains("streamable-http", "mcp", "serverMount", "transports"), "mcp.serverMount.transports");
        return Task.CompletedTask;
    }
}
