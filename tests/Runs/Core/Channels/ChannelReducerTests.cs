using System.Text.Json;
using CsCheck;
using OpenWop.Micro.Runs.Core;
using Xunit;

namespace OpenWop.Micro.Runs.Tests.Core.Channels;

public sealed class ChannelReducerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("replace", """[1,"b"]""", "\"b\"")]
    [InlineData("append", """["a",["b"],null]""", """["a",["b"],null]""")]
    [InlineData("merge", """[{"a":1,"b":{"x":1}},{"b":{"y":2}}]""", """{"a":1,"b":{"y":2}}""")]
    [InlineData("counter", "[5,-7,2]", "0")]
    [InlineData("counter", "[0.1,0.2]", "0.3")]
    [InlineData("counter", "[9223372036854775807,1]", "9223372036854775808")]
    [InlineData("votes", """[{"userId":"a","action":"x"},{"userId":"b","action":"y"},{"userId":"a","action":"z"}]""", """[{"userId":"b","action":"y"},{"userId":"a","action":"z"}]""")]
    [InlineData("feedback", """[{"feedback":"f"},{"feedback":"f"}]""", """[{"feedback":"f"},{"feedback":"f"}]""")]
    [InlineData("message", """[{"messageId":"1","content":"a"},{"messageId":"1","content":"b"},{"messageId":"2"}]""", """[{"messageId":"1","content":"a"},{"messageId":"2"}]""")]
    [InlineData("vendor.acme.newest", "[1,2]", "2")]
    public void Writes_are_reduced_in_order(string reducer, string writes, string expected) =>
        Assert.Equal(expected, Fold(reducer, writes).GetRawText());

    [Fact]
    public void Expired_entries_go_before_the_size_is_counted()
    {
        JsonElement value = default;
        foreach (var (text, at) in new[] { ("a", 0), ("b", 150), ("c", 201), ("d", 202) })
        {
            var time = Now.AddMilliseconds(at);
            var write = new ChannelWritten("c", ChannelReducers.Wrap(JsonSerializer.SerializeToElement(text), time), "append", time, null) { TtlMs = 200, MaxSize = 2 };
            value = ChannelReducers.Reduce(value, write, time);
        }

        Assert.Equal(["c", "d"], value.EnumerateArray().Select(entry => entry.GetProperty("value").GetString()));
        Assert.Equal(Now.AddMilliseconds(202).ToUnixTimeMilliseconds(), value[1].GetProperty("_ts").GetInt64());
    }

    [Fact]
    public void An_entry_lives_until_it_is_older_than_its_time_to_live()
    {
        var first = new ChannelWritten("c", ChannelReducers.Wrap(JsonSerializer.SerializeToElement(1), Now), "append", Now, null) { TtlMs = 200 };
        var at = Now.AddMilliseconds(200);
        var second = new ChannelWritten("c", ChannelReducers.Wrap(JsonSerializer.SerializeToElement(2), at), "append", at, null) { TtlMs = 200 };
        Assert.Equal(2, ChannelReducers.Reduce(ChannelReducers.Reduce(default, first, Now), second, at).GetArrayLength());
    }

    [Fact]
    public void A_new_vote_replaces_the_old_one_also_when_entries_expire()
    {
        var vote = JsonElement.Parse("""{"userId":"a","action":"yes"}""");
        var write = new ChannelWritten("c", ChannelReducers.Wrap(vote, Now), "votes", Now, null) { TtlMs = 1000 };
        Assert.Equal(1, ChannelReducers.Reduce(ChannelReducers.Reduce(default, write, Now), write, Now).GetArrayLength());
    }

    [Fact]
    public void A_list_never_grows_beyond_its_size_and_keeps_the_newest() => Gen.Select(Gen.Int[1, 5], Gen.Int.Array[0, 20]).Sample((size, values) =>
    {
        JsonElement value = ChannelReducers.InitialValue("append");
        foreach (var item in values)
            value = ChannelReducers.Reduce(value, new ChannelWritten("c", JsonSerializer.SerializeToElement(item), "append", Now, null) { MaxSize = size }, Now);

        Assert.Equal(values.TakeLast(size), value.EnumerateArray().Select(entry => entry.GetInt32()));
    });

    private static JsonElement Fold(string reducer, string writes) => JsonElement.Parse(writes).EnumerateArray().Aggregate(
        ChannelReducers.InitialValue(reducer),
        (value, write) => ChannelReducers.Reduce(value, new ChannelWritten("c", write, reducer, Now, null), Now));
}
