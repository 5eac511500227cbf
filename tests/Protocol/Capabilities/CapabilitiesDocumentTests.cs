using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Capabilities;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Capabilities;

public sealed class CapabilitiesDocumentTests
{
    private static readonly CapabilitySet Minimum = new()
    {
        Implementation = new ImplementationName("test", "1.2.3"),
        Limits = new CapabilityLimits { MaxNodeExecutions = 1_000 },
    };

    private static readonly CapabilitySet Full = Minimum with
    {
        Implementation = new ImplementationName("test", "1.2.3", "vendor"),
        Limits = new CapabilityLimits { MaxNodeExecutions = 100, MaxRunDurationMs = 60_000, MaxLoopIterations = 5, MaxRequestBodyBytes = 4 << 20 },
        MinClientVersion = "1.0.0",
        SupportedEnvelopes = ["clarification.request"],
        SchemaVersions = ImmutableSortedDictionary.Create<string, int>().Add("clarification.request", 1),
        Transports = ["rest", "grpc"],
        Fixtures = ["b", "a", "b"],
        Testing = new TestingSupport { TestKeyPrefix = "hk_test_", MockProviders = ["stream-text"], ForceEngineVersions = (0, 2) },
        DrainPolicies = ["immediate", "drain-current-node"],
        ReplayModes = ["replay", "branch"],
        Families = ImmutableSortedDictionary.Create<string, JsonNode>()
            .Add("webhooks", JsonNode.Parse("""{"supported":true,"signatureAlgorithms":["v1"]}""")!)
            .Add("idempotency", JsonNode.Parse("""{"crossRegion":"single-region"}""")!)
            .Add("debugBundle", JsonNode.Parse("""{"supported":true}""")!)
            .Add("grpc", JsonNode.Parse("""{"supported":true,"service":"openwop.v1.Engine","tls":"disabled"}""")!),
    };

    [Fact]
    public void The_smallest_document_is_valid_and_advertises_nothing_else()
    {
        var document = Read(CapabilitiesDocument.Create(Minimum));

        Assert.Empty(SchemaRegistry.Published("capabilities").Validate(document));
        Assert.Equal(
            ["protocolVersion", "implementation", "engineVersion", "eventLogSchemaVersion", "supportedEnvelopes", "schemaVersions", "limits",
                "supportedTransports", "fixtures", "runtimeCapabilities"],
            document.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public void The_full_document_is_valid_and_mirrors_what_old_readers_look_for()
    {
        var document = Read(CapabilitiesDocument.Create(Full));

        Assert.Empty(SchemaRegistry.Published("capabilities").Validate(document));
        Assert.Equal(["idempotency", "webhooks"], document.GetProperty("capabilities").EnumerateObject().Select(member => member.Name));
        Assert.Equal(["a", "b"], document.GetProperty("fixtures").EnumerateArray().Select(id => id.GetString()));
        Assert.True(document.GetProperty("runs").GetProperty("pauseResume").GetProperty("supported").GetBoolean());
        Assert.Equal("branch", document.GetProperty("replay").GetProperty("modes")[1].GetString());
        Assert.Equal(2, document.GetProperty("testing").GetProperty("forceEngineVersionRange").GetProperty("max").GetInt32());
    }

    [Fact]
    public void The_same_facts_give_the_same_tags_and_other_facts_give_others()
    {
        var one = CapabilitiesDocument.Create(Full);
        var two = CapabilitiesDocument.Create(Full with { Fixtures = ["a", "b"] });
        var three = CapabilitiesDocument.Create(Full with { Fixtures = ["a"] });

        Assert.Equal((one.ETag, one.CapabilitiesETag), (two.ETag, two.CapabilitiesETag));
        Assert.NotEqual(one.ETag, three.ETag);
        Assert.NotEqual(one.CapabilitiesETag, three.CapabilitiesETag);
        Assert.Matches("^[A-Za-z0-9_-]{22}$", one.ETag);
    }

    [Fact]
    public void A_document_that_clients_would_reject_is_never_made()
    {
        Assert.Throws<ArgumentException>(() => CapabilitiesDocument.Create(Minimum with { Transports = ["smoke-signals"] }));
        Assert.Throws<ArgumentException>(() => CapabilitiesDocument.Create(Minimum with
        {
            Families = ImmutableSortedDictionary.Create<string, JsonNode>().Add("secrets", JsonNode.Parse("""{"supported":true,"invented":1}""")!),
        }));
    }

    private static JsonElement Read(CapabilitiesDocument document) => Fixtures.Json(Encoding.UTF8.GetString(document.Json.Span));
}
