using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Runs;

public sealed class CreateRunBodyTests
{
    private static readonly RunOptionPolicy Policy = new()
    {
        MaxNodeExecutions = 1_000,
        MaxRunDurationMs = 60_000,
        MockProviders = ["stream-text"],
        AiProviders = ["acme", "other"],
        ByokProviders = ["acme"],
        LaterKeys = [.. ReservedOptions.Later],
    };

    private static readonly RunOptionPolicy TestKey = Policy with { IsTestKey = true };

    [Fact]
    public void A_full_body_is_read_completely()
    {
        var body = Parse("""
            {"workflowId":"w","inputs":{"a":1.0},"tenantId":"t","scopeId":"s","callbackUrl":"https://example.com/cb",
             "configurable":{"recursionLimit":5,"ai":{"provider":"acme","credentialRef":"secret:x"},"acme.x":null,"runTimeoutMs":1000,
                             "mockProvider":{"id":"stream-text","config":{"tokens":["a"]}}},
             "tags":["x","x"],"metadata":{"m":[1]}}
            """, TestKey);

        Assert.Equal(("w", "t", "s", "https://example.com/cb"), (body.WorkflowId, body.TenantId, body.ScopeId, body.CallbackUrl));
        Assert.Equal("""{"a":1.0}""", body.Inputs.GetRawText());
        Assert.Equal((5, 1_000L, "acme", "secret:x"), (body.Options.RecursionLimit, body.Options.RunTimeoutMs!.Value, body.Options.AiProvider, body.Options.AiCredentialRef));
        Assert.Equal("stream-text", body.Options.MockProvider!.Id);
        Assert.Equal<string>(["x", "x"], body.Options.Tags);
        Assert.Equal("""{"m":[1]}""", body.Options.Metadata.GetRawText());
        Assert.Equal(JsonValueKind.Null, body.Options.Configurable.GetProperty("acme.x").ValueKind);
    }

    [Fact]
    public void What_is_absent_is_empty()
    {
        var body = Parse("""{"workflowId":"w"}""");

        Assert.Equal("{}", body.Inputs.GetRawText());
        Assert.Equal("{}", body.Options.Configurable.GetRawText());
        Assert.Equal("{}", body.Options.Metadata.GetRawText());
        Assert.Equal(1_000, body.Options.RecursionLimit);
        Assert.Empty(body.Options.Tags);
        Assert.Null(body.Options.RunTimeoutMs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("{\"workflowId\":\"w\"")]
    [InlineData("{\"workflowId\":\"w\"} x")]
    [InlineData("{\"workflowId\":\"w\",\"workflowId\":\"v\"}")]
    [InlineData("{\"workflowId\":\"w\",\"inputs\":{\"a\":1,\"a\":1}}")]
    [InlineData("{\"workflowId\":\"w\",\"inputs\":{\"a\":\"\\ud800\"}}")]
    [InlineData("{\"workflowId\":\"\"}")]
    [InlineData("{\"workflowId\":5}")]
    [InlineData("{\"workflowId\":null}")]
    [InlineData("{\"workflowID\":\"w\"}")]
    [InlineData("{\"workflowId\":\"w\",\"options\":{}}")]
    [InlineData("{\"workflowId\":\"w\",\"inputs\":[]}")]
    [InlineData("{\"workflowId\":\"w\",\"inputs\":null}")]
    [InlineData("{\"workflowId\":\"w\",\"tenantId\":7}")]
    [InlineData("{\"workflowId\":\"w\",\"scopeId\":\"\"}")]
    [InlineData("{\"workflowId\":\"w\",\"callbackUrl\":\"/relative\"}")]
    [InlineData("{\"workflowId\":\"w\",\"callbackUrl\":\"file:///etc/passwd\"}")]
    [InlineData("{\"workflowId\":\"w\",\"callbackUrl\":\"https://user:pass@example.com/\"}")]
    [InlineData("{\"workflowId\":\"w\",\"configurable\":[]}")]
    [InlineData("{\"workflowId\":\"w\",\"tags\":\"x\"}")]
    [InlineData("{\"workflowId\":\"w\",\"tags\":[\"\"]}")]
    [InlineData("{\"workflowId\":\"w\",\"tags\":[1]}")]
    [InlineData("{\"workflowId\":\"w\",\"metadata\":\"x\"}")]
    [InlineData("{\"workflowId\":\"w\",\"mode\":\"fast\"}")]
    [InlineData("{\"workflowId\":\"w\",\"agentId\":5}")]
    [InlineData("{\"workflowId\":\"w\",\"residency\":\"eu\"}")]
    public void A_body_that_is_not_exactly_right_is_a_validation_error(string body) => Assert.Equal(ErrorCodes.ValidationError, Refuse(body).Code);

    [Theory]
    [InlineData("recursionLimit", "0", 1, null)]
    [InlineData("recursionLimit", "-1", 1, null)]
    [InlineData("recursionLimit", "1.5", 1, null)]
    [InlineData("recursionLimit", "\"3\"", 1, null)]
    [InlineData("recursionLimit", "null", 1, null)]
    [InlineData("temperature", "-0.1", 0, 2)]
    [InlineData("temperature", "2.0001", 0, 2)]
    [InlineData("temperature", "1e400", 0, 2)]
    [InlineData("temperature", "true", 0, 2)]
    [InlineData("maxTokens", "0", 1, null)]
    [InlineData("maxTokens", "1.25", 1, null)]
    [InlineData("runTimeoutMs", "0", 1, null)]
    [InlineData("runTimeoutMs", "\"1s\"", 1, null)]
    [InlineData("escalationThreshold", "1.1", 0, 1)]
    [InlineData("maxLoopIterations", "0", 1, null)]
    [InlineData("distillation.tokenBudget", "0", 1, null)]
    public void A_reserved_number_out_of_range_is_refused_with_key_value_and_bounds(string key, string value, int? min, int? max)
    {
        var error = Refuse($$$"""{"workflowId":"w","configurable":{"{{{key}}}":{{{value}}}}}""");

        Assert.Equal(ErrorCodes.ValidationError, error.Code);
        Assert.Equal(key, (string?)error.Details!["key"]);
        Assert.Equal(min, (long?)error.Details["min"]);
        Assert.Equal(max, (long?)error.Details["max"]);
        if (value[0] is not ('"' or 'n' or 't'))
            Assert.Equal(value, error.Details["value"]!.ToJsonString());
    }

    [Theory]
    [InlineData("model", "\"\"")]
    [InlineData("model", "5")]
    [InlineData("promptOverrides", "{\"a\":1}")]
    [InlineData("promptOverrides", "[]")]
    [InlineData("ai.provider", "\"unknown\"")]
    [InlineData("ai.provider", "\"\"")]
    [InlineData("ai", "{\"provider\":\"unknown\"}")]
    [InlineData("ai", "5")]
    [InlineData("ai.model", "7")]
    [InlineData("ai.credentialRef", "{}")]
    [InlineData("reasoningVerbosity", "\"loud\"")]
    [InlineData("budget", "{\"maxTokens\":0}")]
    [InlineData("budget", "{\"surprise\":1}")]
    public void Another_reserved_key_of_the_wrong_kind_is_refused(string key, string value)
    {
        var error = Refuse($$$"""{"workflowId":"w","configurable":{"{{{key}}}":{{{value}}}}}""");

        Assert.Equal(ErrorCodes.ValidationError, error.Code);
        Assert.StartsWith($"configurable.{key}", (string?)error.Details!["field"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"recursionLimit":1}""", 1)]
    [InlineData("""{"recursionLimit":2.0}""", 2)]
    [InlineData("""{"recursionLimit":3e0}""", 3)]
    [InlineData("""{"recursionLimit":1001}""", 1_000)]
    [InlineData("""{"recursionLimit":1e300}""", 1_000)]
    [InlineData("""{"recursionLimit":99999999999999999999999999}""", 1_000)]
    [InlineData("{}", 1_000)]
    public void The_recursion_limit_is_clamped_to_the_ceiling(string configurable, int expected) =>
        Assert.Equal(expected, Parse($$"""{"workflowId":"w","configurable":{{configurable}}}""").Options.RecursionLimit);

    [Fact]
    public void The_timeout_is_clamped_to_the_ceiling_and_ignored_where_it_is_not_honoured()
    {
        Assert.Equal(60_000, Parse("""{"workflowId":"w","configurable":{"runTimeoutMs":1e300}}""").Options.RunTimeoutMs);
        Assert.Equal(59_999, Parse("""{"workflowId":"w","configurable":{"runTimeoutMs":59999}}""").Options.RunTimeoutMs);
        Assert.Null(Parse("""{"workflowId":"w","configurable":{"runTimeoutMs":"soon"}}""", Policy with { MaxRunDurationMs = null }).Options.RunTimeoutMs);
    }

    [Fact]
    public void Keys_of_families_that_this_server_lacks_are_ignored()
    {
        var body = Parse(
            """{"workflowId":"w","configurable":{"budget":5,"reasoningVerbosity":7,"escalationThreshold":9,"ai.credentialRef":"secret","ai.provider":"anything"}}""",
            new RunOptionPolicy { MaxNodeExecutions = 10 });

        Assert.Null(body.Options.AiCredentialRef);
        Assert.Equal(5, body.Options.Configurable.GetProperty("budget").GetInt32());
    }

    [Fact]
    public void Keys_nobody_reserved_pass_through_unchanged()
    {
        var configurable = """{"acme.temperature":1e5,"x":{"y":[1.0,10000000000000000000000]},"ai":{"other":1}}""";

        Assert.Equal(configurable, Parse($$"""{"workflowId":"w","configurable":{{configurable}}}""").Options.Configurable.GetRawText());
    }

    [Theory]
    [InlineData("""{"ai.provider":"acme"}""")]
    [InlineData("""{"ai":{"provider":"acme"}}""")]
    public void Dotted_keys_are_understood_flat_and_nested(string configurable) =>
        Assert.Equal("acme", Parse($$"""{"workflowId":"w","configurable":{{configurable}}}""").Options.AiProvider);

    [Fact]
    public void A_dotted_key_given_twice_is_refused() =>
        Assert.Equal(ErrorCodes.ValidationError, Refuse("""{"workflowId":"w","configurable":{"ai.provider":"acme","ai":{"provider":"acme"}}}""").Code);

    [Fact]
    public void A_credential_for_a_provider_that_takes_none_is_forbidden()
    {
        var error = Refuse("""{"workflowId":"w","configurable":{"ai.provider":"other","ai.credentialRef":"secret-name"}}""");

        Assert.Equal(ErrorCodes.CredentialForbidden, error.Code);
        Assert.Equal("other", (string?)error.Details!["provider"]);
        Assert.DoesNotContain("secret-name", Encoding.UTF8.GetString(error.ToUtf8Bytes()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"id":"stream-text"}""")]
    [InlineData("""{"id":"unknown"}""")]
    [InlineData("5")]
    [InlineData("null")]
    public void A_mock_provider_is_for_test_keys_whatever_its_value(string mock)
    {
        var error = Refuse($$$"""{"workflowId":"w","configurable":{"temperature":99,"mockProvider":{{{mock}}}}}""");

        Assert.Equal(ErrorCodes.MockProviderForbidden, error.Code);
        Assert.Equal("stream-text", (string?)error.Details!["supportedProviders"]![0]);
    }

    [Theory]
    [InlineData("""{"id":"unknown"}""", "unsupported_mock_provider")]
    [InlineData("""{"id":""}""", "validation_error")]
    [InlineData("""{"config":{}}""", "validation_error")]
    [InlineData("""{"id":"stream-text","config":[]}""", "validation_error")]
    [InlineData("""{"id":"stream-text","extra":1}""", "validation_error")]
    [InlineData("5", "validation_error")]
    public void A_test_key_must_still_name_a_mock_provider_properly(string mock, string code) =>
        Assert.Equal(code, Refuse($$$"""{"workflowId":"w","configurable":{"mockProvider":{{{mock}}}}}""", TestKey).Code.Name);

    [Theory]
    [InlineData("""{"workflowId":"w","mode":"eval"}""", "capability_not_provided")]
    [InlineData("""{"mode":"eval","evalSuiteRef":"s"}""", "capability_not_provided")]
    [InlineData("""{"workflowId":"w","evalSuiteRef":"s"}""", "capability_not_provided")]
    [InlineData("""{"workflowId":"w","agentId":"a"}""", "capability_not_provided")]
    [InlineData("""{"workflowId":"w","residency":{"region":"eu"}}""", "residency_unavailable")]
    public void Families_that_this_server_lacks_say_so(string body, string code) => Assert.Equal(code, Refuse(body).Code.Name);

    [Fact]
    public void Tags_are_counted_in_code_points()
    {
        var emoji = string.Concat(Enumerable.Repeat("😀", 256));
        Assert.Single(Parse(Body("tags", new JsonArray(emoji))).Options.Tags);
        Refuse(Body("tags", new JsonArray(emoji + "x")));
        Assert.Equal(100, Parse(Body("tags", new JsonArray([.. Enumerable.Repeat("t", 100).Select(tag => (JsonNode)tag)]))).Options.Tags.Length);
        Refuse(Body("tags", new JsonArray([.. Enumerable.Repeat("t", 101).Select(tag => (JsonNode)tag)])));
    }

    [Fact]
    public void Metadata_may_be_large_and_deep_but_not_without_end()
    {
        Parse(Body("metadata", new JsonObject { ["m"] = new string('x', 50_000) }));
        Refuse(Body("metadata", new JsonObject { ["m"] = new string('x', 52_000) }));
        Parse(Body("metadata", Deep(4)));
        Parse(Body("metadata", Deep(16)));
        Refuse(Body("metadata", Deep(17)));
    }

    [Fact]
    public void A_body_of_ten_megabytes_is_too_large()
    {
        var error = Refuse(Body("inputs", new JsonObject { ["x"] = new string('x', 10 << 20) }));

        Assert.Equal(ErrorCodes.PayloadTooLarge, error.Code);
    }

    [Fact]
    public void Values_never_come_back_in_an_error()
    {
        const string Canary = "eyJhbGciOiJIUzI1NiJ9.canary.signature";
        foreach (var member in (string[])["workflowId", "tenantId", "scopeId", "callbackUrl", "inputs", "tags", "metadata", "mode", "agentId", "residency"])
        {
            foreach (var value in (JsonNode[])[Canary + new string('x', 3_000), new JsonArray(Canary + new string('x', 300)), new JsonObject { ["a"] = Canary }])
            {
                if (!CreateRunBody.TryParse(Encoding.UTF8.GetBytes(Body(member, value)), Policy, out _, out var error))
                    Assert.DoesNotContain("canary", Encoding.UTF8.GetString(error.ToUtf8Bytes()), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Every_error_is_a_valid_envelope()
    {
        foreach (var body in (string[])["", "{}", """{"workflowId":"w","configurable":{"temperature":9}}""", """{"workflowId":"w","mode":"eval"}"""])
        {
            var envelope = Fixtures.Json(Encoding.UTF8.GetString(Refuse(body).ToUtf8Bytes()));
            Assert.Empty(SchemaRegistry.Published("error-envelope").Validate(envelope));
        }
    }

    private static CreateRunBody Parse(string body, RunOptionPolicy? policy = null)
    {
        var parsed = CreateRunBody.TryParse(Encoding.UTF8.GetBytes(body), policy ?? Policy, out var result, out var error);
        Assert.True(parsed, error?.Message);
        return result!;
    }

    private static ProtocolError Refuse(string body, RunOptionPolicy? policy = null)
    {
        Assert.False(CreateRunBody.TryParse(Encoding.UTF8.GetBytes(body), policy ?? Policy, out var result, out var error));
        Assert.Null(result);
        return error;
    }

    private static string Body(string member, JsonNode value) => new JsonObject { ["workflowId"] = "w", [member] = value.DeepClone() }.ToJsonString();

    private static JsonObject Deep(int levels) => levels == 1 ? [] : new JsonObject { ["d"] = Deep(levels - 1) };
}
