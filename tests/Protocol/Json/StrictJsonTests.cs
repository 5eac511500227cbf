using System.Text;
using System.Text.Json;
using CsCheck;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Tests.Json;

public sealed class StrictJsonTests
{
    private static readonly JsonLimits Limits = new(1 << 20, 8);

    [Theory]
    [InlineData("""{"a":{"b":1,"b":2}}""", "duplicate_member", "/a/b")]
    [InlineData("""[0,{"x~/y":{"z":1,"\u007a":1}}]""", "duplicate_member", "/1/x~0~1y/z")]
    [InlineData("""{"a":[1,"\ud800"]}""", "invalid_text", "/a/1")]
    [InlineData("""{"a":{"\udfff":1}}""", "invalid_text", "/a")]
    [InlineData("""{"a":[[[[[[[[1]]]]]]]]}""", "too_deep", "/a/0/0/0/0/0/0/0")]
    [InlineData("""{"a":tru}""", "malformed_json", "/a")]
    [InlineData("\uFEFF{}", "malformed_json", "")]
    [InlineData(" ", "malformed_json", "")]
    [InlineData("1 2", "malformed_json", "")]
    public void A_problem_is_named_with_its_place(string json, string code, string path)
    {
        Assert.False(StrictJson.TryParse(Encoding.UTF8.GetBytes(json), Limits, out _, out var problem));
        Assert.Equal((code, path), (problem.Code, problem.Path));
    }

    [Theory]
    [InlineData("""{"a":{"b":1},"c":{"b":1}}""")]
    [InlineData("""[{"a":1},{"a":1}]""")]
    [InlineData("""{"a":[[[[[[[1]]]]]]]}""")]
    [InlineData("""{"a":"\ud83d\ude00"}""")]
    [InlineData("""{"a":1,"A":1}""")]
    [InlineData("1e999999999")]
    public void What_has_one_reading_is_accepted(string json)
    {
        Assert.True(StrictJson.TryParse(Encoding.UTF8.GetBytes(json), Limits, out var value, out _));
        Assert.Equal(json, value.GetRawText());
    }

    [Fact]
    public void Too_much_is_refused_before_it_is_read()
    {
        Assert.False(StrictJson.TryParse(new byte[Limits.MaxBytes + 1], Limits, out _, out var problem));
        Assert.Equal(ErrorCodes.PayloadTooLarge, problem.ToProtocolError().Code);
        Assert.Equal(ErrorCodes.ValidationError, new JsonProblem("/a", "too_deep", "m").ToProtocolError().Code);
    }

    [Fact]
    public void Damaged_texts_are_accepted_exactly_when_the_strictest_other_parser_accepts_them() =>
        Gen.Select(JsonTexts.Any, Gen.Int[0, 200], Gen.Char[' ', '~'], Gen.Bool).Sample((json, place, character, isInsertion) =>
        {
            var text = new StringBuilder(json);
            if (isInsertion)
                text.Insert(place % (text.Length + 1), character);
            else
                text[place % text.Length] = character;

            var utf8 = Encoding.UTF8.GetBytes(text.ToString());
            return StrictJson.TryParse(utf8, Limits, out _, out _) == IsAcceptable(utf8);
        });

    private static bool IsAcceptable(byte[] utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = Limits.MaxDepth });
            CanonicalJson.Write(document.RootElement, new System.Buffers.ArrayBufferWriter<byte>());
            return true;
        }
        catch (JsonException exception) when (exception.Message == "A number is out of range.")
        {
            return true; // The canonical form minds that; as a text it is fine.
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
