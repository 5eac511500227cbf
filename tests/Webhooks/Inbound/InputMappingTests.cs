using System.Buffers;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Webhooks.Inbound;
using OpenWop.Micro.Webhooks.Inbound.Signatures;

namespace OpenWop.Micro.Webhooks.Tests.Inbound;

public sealed class InputMappingTests
{
    [Theory]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"b":1}}""")]
    [InlineData("""[1,2]""", """{"body":[1,2]}""")]
    [InlineData("\"text\"", """{"body":"text"}""")]
    [InlineData("null", """{"body":null}""")]
    [InlineData("", "{}")]
    public void Without_a_mapping_the_body_is_the_input_or_in_it(string body, string inputs) => Assert.Equal(inputs, Map("", body));

    [Theory]
    [InlineData("body", """{"x":{"a":[{"b/c":9007199254740993}]}}""")]
    [InlineData("body:", """{"x":{"a":[{"b/c":9007199254740993}]}}""")]
    [InlineData("body:/a/0/b~1c", """{"x":9007199254740993}""")]
    [InlineData("body:/a/1", "{}")]
    [InlineData("body:/a/00", "{}")]
    [InlineData("body:/a/-", "{}")]
    [InlineData("body:/absent/b", "{}")]
    [InlineData("header:X-Event", """{"x":"push"}""")]
    [InlineData("header:absent", "{}")]
    [InlineData("query:ref", """{"x":"main"}""")]
    [InlineData("receivedAt", """{"x":"2026-01-01T00:00:00.000Z"}""")]
    public void A_mapping_says_where_an_input_comes_from(string source, string inputs) =>
        Assert.Equal(inputs, Map($$"""{"x":"{{source}}"}""", """{"a":[{"b/c":9007199254740993}]}"""));

    [Theory]
    [InlineData("")]
    [InlineData("body/a")]
    [InlineData("body:a")]
    [InlineData("header:")]
    [InlineData("header:Authorization")]
    [InlineData("header:cookie")]
    [InlineData("header:X-Hub-Signature-256")]
    [InlineData("query:")]
    [InlineData("receivedAt:x")]
    [InlineData("env:SECRET")]
    public void Nothing_else_is_a_source(string source) => Assert.False(InputMapping.IsSource(source));

    [Theory]
    [InlineData("a", true)]
    [InlineData("a/b.c/d-e_f", true)]
    [InlineData(".a/..b", true)]
    [InlineData("", false)]
    [InlineData("/", false)]
    [InlineData("/a", false)]
    [InlineData("a/", false)]
    [InlineData("a//b", false)]
    [InlineData(".", false)]
    [InlineData("a/..", false)]
    [InlineData("a/./b", false)]
    [InlineData("a%2fb", false)]
    [InlineData("é", false)]
    [InlineData("a\0", false)]
    public void A_path_has_segments_that_are_names(string path, bool isValid) => Assert.Equal(isValid, WebhookPath.IsValid(path));

    [Fact]
    public void Ids_of_deliveries_come_from_what_is_signed_where_there_is_such_a_thing()
    {
        var body = JsonElement.Parse("""{"id":"evt_1","event_id":"Ev1"}""");
        var headers = new Dictionary<string, string> { ["x-openwop-delivery-id"] = "chosen", ["x-github-delivery"] = "github" };

        var keys = Enum.GetValues<SignatureScheme>().Select(scheme => DeliveryIds.KeyOf(scheme, headers, body)).ToList();

        Assert.Equal(keys[0], keys[1]);
        Assert.Equal(3, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Equal(64, key!.Length));
        Assert.Null(DeliveryIds.KeyOf(SignatureScheme.OpenWop, new Dictionary<string, string>(), body));
        Assert.Null(DeliveryIds.KeyOf(SignatureScheme.Stripe, new Dictionary<string, string>(), JsonElement.Parse("[]")));
    }

    private static string Map(string mapping, string body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            InputMapping.Write(writer, mapping.Length > 0 ? JsonElement.Parse(mapping) : default, new ReceivedDelivery(
                new Dictionary<string, string> { ["x-event"] = "push" },
                new Dictionary<string, string> { ["ref"] = "main" },
                body.Length > 0 ? JsonElement.Parse(body) : default,
                new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
