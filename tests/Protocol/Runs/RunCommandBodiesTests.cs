using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Runs;

namespace OpenWop.Micro.Protocol.Tests.Runs;

public sealed class RunCommandBodiesTests
{
    private static readonly RunOptionPolicy Policy = new() { MaxNodeExecutions = 100 };

    [Theory]
    [InlineData("", null)]
    [InlineData("{}", null)]
    [InlineData("""{"reason":"stop"}""", "stop")]
    [InlineData("""{"reason":""}""", "")]
    [InlineData("""{"unknown":1}""", null)]
    public void Cancel_accepts_no_body_and_unknown_members(string body, string? reason)
    {
        Assert.True(CancelRunBody.TryParse(Utf8(body), out var parsed, out _));
        Assert.Equal(reason, parsed.Reason);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"reason":5}""")]
    [InlineData("""{"reason":"a","reason":"b"}""")]
    public void Cancel_refuses_the_rest(string body) => AssertInvalid(CancelRunBody.TryParse(Utf8(body), out _, out var error), error);

    [Fact]
    public void Reasons_have_a_length()
    {
        Assert.True(CancelRunBody.TryParse(Utf8($$"""{"reason":"{{new string('x', 512)}}"}"""), out _, out _));
        Assert.False(CancelRunBody.TryParse(Utf8($$"""{"reason":"{{new string('x', 513)}}"}"""), out _, out _));
    }

    [Theory]
    [InlineData("", DrainPolicy.DrainCurrentNode)]
    [InlineData("{}", DrainPolicy.DrainCurrentNode)]
    [InlineData("""{"drainPolicy":"drain-current-node","reason":"r"}""", DrainPolicy.DrainCurrentNode)]
    [InlineData("""{"drainPolicy":"immediate"}""", DrainPolicy.Immediate)]
    public void Pause_drains_the_current_node_unless_told_otherwise(string body, DrainPolicy policy)
    {
        Assert.True(PauseRunBody.TryParse(Utf8(body), out var parsed, out _));
        Assert.Equal(policy, parsed.DrainPolicy);
    }

    [Theory]
    [InlineData("""{"drainPolicy":"Immediate"}""")]
    [InlineData("""{"drainPolicy":null}""")]
    [InlineData("""{"unknown":1}""")]
    [InlineData("5")]
    public void Pause_is_closed(string body) => AssertInvalid(PauseRunBody.TryParse(Utf8(body), out _, out var error), error);

    [Theory]
    [InlineData("""{"drainPolicy":"immediate"}""")]
    [InlineData("""{"reason":["x"]}""")]
    public void Resume_is_closed(string body) => AssertInvalid(ResumeRunBody.TryParse(Utf8(body), out _, out var error), error);

    [Fact]
    public void Resume_needs_no_body() => Assert.True(ResumeRunBody.TryParse([], out _, out _));

    [Theory]
    [InlineData("""{"mode":"replay"}""", ForkMode.Replay, 0)]
    [InlineData("""{"mode":"replay","fromSeq":3,"runOptionsOverlay":{}}""", ForkMode.Replay, 3)]
    [InlineData("""{"mode":"branch","fromSeq":0}""", ForkMode.Branch, 0)]
    [InlineData("""{"mode":"branch","fromSeq":2.0}""", ForkMode.Branch, 2)]
    [InlineData("""{"mode":"branch","fromSeq":1e300}""", ForkMode.Branch, long.MaxValue)]
    public void Fork_reads_mode_and_boundary(string body, ForkMode mode, long from)
    {
        Assert.True(ForkRunBody.TryParse(Utf8(body), Policy, out var parsed, out _));
        Assert.Equal((mode, from, null), (parsed.Mode, parsed.FromSequence, parsed.Overlay));
    }

    [Fact]
    public void Fork_reads_the_overlay_of_a_branch()
    {
        Assert.True(ForkRunBody.TryParse(
            Utf8("""{"mode":"branch","fromSeq":1,"runOptionsOverlay":{"configurable":{"recursionLimit":7},"tags":["a"]}}"""), Policy, out var parsed, out _));
        Assert.Equal(7, parsed.Overlay!.RecursionLimit);
        Assert.Equal<string>(["a"], parsed.Overlay.Tags);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"mode":"again"}""")]
    [InlineData("""{"mode":"branch"}""")]
    [InlineData("""{"mode":"branch","fromSeq":-1}""")]
    [InlineData("""{"mode":"branch","fromSeq":1.5}""")]
    [InlineData("""{"mode":"branch","fromSeq":"1"}""")]
    [InlineData("""{"mode":"branch","fromSeq":1,"extra":1}""")]
    [InlineData("""{"mode":"replay","runOptionsOverlay":{"tags":[]}}""")]
    [InlineData("""{"mode":"branch","fromSeq":1,"runOptionsOverlay":[]}""")]
    [InlineData("""{"mode":"branch","fromSeq":1,"runOptionsOverlay":{"inputs":{}}}""")]
    [InlineData("""{"mode":"branch","fromSeq":1,"runOptionsOverlay":{"configurable":{"recursionLimit":0}}}""")]
    public void Fork_refuses_the_rest(string body) => AssertInvalid(ForkRunBody.TryParse(Utf8(body), Policy, out _, out var error), error);

    [Theory]
    [InlineData("null", JsonValueKind.Null)]
    [InlineData("false", JsonValueKind.False)]
    [InlineData("""{"action":"accept"}""", JsonValueKind.Object)]
    public void Resolving_takes_any_value_even_null(string value, JsonValueKind kind)
    {
        Assert.True(ResolveInterruptBody.TryParse(Utf8($$"""{"resumeValue":{{value}}}"""), out var parsed, out _));
        Assert.Equal(kind, parsed.ResumeValue.ValueKind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"value":1}""")]
    [InlineData("""{"resumeValue":1,"extra":1}""")]
    public void Resolving_without_a_value_is_refused(string body) => AssertInvalid(ResolveInterruptBody.TryParse(Utf8(body), out _, out var error), error);

    [Fact]
    public void Bulk_cancel_keeps_order_and_repetitions()
    {
        Assert.True(BulkCancelBody.TryParse(Utf8("""{"runIds":["b","a","b"],"reason":"r"}"""), out var parsed, out _));
        Assert.Equal<string>(["b", "a", "b"], parsed.RunIds);
        Assert.Equal("r", parsed.Reason);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"runIds":[]}""")]
    [InlineData("""{"runIds":"a"}""")]
    [InlineData("""{"runIds":[1]}""")]
    [InlineData("""{"runIds":[""]}""")]
    [InlineData("""{"runIds":["a"],"extra":1}""")]
    public void Bulk_cancel_refuses_the_rest(string body) => AssertInvalid(BulkCancelBody.TryParse(Utf8(body), out _, out var error), error);

    [Fact]
    public void Bulk_cancel_names_its_cap()
    {
        var many = new JsonObject { ["runIds"] = new JsonArray([.. Enumerable.Range(0, 101).Select(i => (JsonNode)$"run-{i}")]) };

        Assert.False(BulkCancelBody.TryParse(Utf8(many.ToJsonString()), out _, out var error));
        Assert.Equal(100, (int?)error.Details!["maxRunIds"]);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static void AssertInvalid(bool parsed, ProtocolError? error)
    {
        Assert.False(parsed);
        Assert.Equal(ErrorCodes.ValidationError, error!.Code);
    }
}
