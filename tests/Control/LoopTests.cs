using System.Text.Json;
using OpenWop.Micro.EndToEnd.Tests.Hosting;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Loops over items: <c>for_each</c>.</summary>
public abstract class LoopTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(50)]
    public async Task Every_item_has_a_run_and_the_results_stand_in_the_order_of_the_list(int concurrency)
    {
        var body = await _author.CreateAsync(Op.Trigger, Op.Transform("t", "\"{{trigger.greeting}} {{trigger.item.name}} {{trigger.index}}/{{trigger.count}}\""), Op.Connect("trg", "t"));
        var id = await LoopAsync(body, $"\"concurrency\":{concurrency},\"input\":{{\"greeting\":\"hi\"}}", Op.Transform("after", "\"{{each.count}}: {{each.results.2.result}}\""), Op.Connect("each", "after"));
        var outputs = await _author.OutputsAsync(id, """{"list":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"},{"name":"e"}]}""");

        var results = outputs.GetProperty("each").GetProperty("results").EnumerateArray().Select(result => result.GetProperty("result").GetString());
        Assert.Equal(["hi a 0/5", "hi b 1/5", "hi c 2/5", "hi d 3/5", "hi e 4/5"], results);
        Assert.Equal("5: hi c 2/5", outputs.GetProperty("after").GetProperty("result").GetString());
    }

    [Fact]
    public async Task No_more_items_are_under_way_than_may_be()
    {
        var body = await _author.CreateAsync(Op.Trigger, Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Connect("trg", "w"));
        var runId = await _author.RunAsync(await LoopAsync(body, "\"concurrency\":2"), """{"list":[0,1,2,3]}""");
        await _author.UntilAsync(runId, "waiting");

        // The second one ends first: the next item waits for the oldest, and the order of the results is that of the list.
        List<string> order = [];
        foreach (var (item, open) in new[] { (1, 2), (0, 2), (3, 4), (2, 4) })
        {
            var rows = await RowsAsync(_author, runId, open);
            order.Add(rows[item].GetProperty("childRunId").GetString()!);
            Assert.Equal(202, (await _author.PostAsync($"/api/runs/{order[^1]}/resume", $$"""{"blockId":"w","payload":"p{{item}}"}""")).Status);
            await _author.UntilAsync(order[^1], "completed");
        }

        var run = await _author.UntilAsync(runId, "completed");
        Assert.Equal(
            ["p0", "p1", "p2", "p3"],
            run.GetProperty("output").GetProperty("outputs").GetProperty("each").GetProperty("results").EnumerateArray().Select(result => result.GetProperty("data").GetString()!));
        Assert.Equal(4, order.Distinct().Count());
    }

    [Fact]
    public async Task An_item_that_fails_fails_the_loop_and_ends_the_items_under_way()
    {
        var body = await _author.CreateAsync(
            Op.Trigger, Op.Add("c", "condition", """{"left":"{{trigger.item}}","operator":"equals","right":"bad"}"""), Op.Add("f", "fail", """{"message":"no {{trigger.item}}"}"""),
            Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Connect("trg", "c"), Op.Connect("c", "f", "true"), Op.Connect("c", "w", "false"));
        var runId = await _author.RunAsync(await LoopAsync(body, "\"concurrency\":3"), """{"list":["bad","good"]}""");
        var run = await _author.UntilAsync(runId, "failed");

        Assert.Equal("Item 0 failed: no bad", run.GetProperty("error").GetString());
        var rows = await RowsAsync(_author, runId, 2);
        Assert.Equal(["failed", "canceled"], rows.Select(row => row.GetProperty("status").GetString()!));
        Assert.Equal("no bad", rows[0].GetProperty("error").GetProperty("message").GetString());
        await _author.UntilAsync(rows[1].GetProperty("childRunId").GetString()!, "canceled");
    }

    [Fact]
    public async Task A_loop_that_goes_on_lists_the_items_that_failed_and_tries_them_as_often_as_it_may()
    {
        var body = await _author.CreateAsync(
            Op.Trigger, Op.Add("c", "condition", """{"left":"{{trigger.item}}","operator":"equals","right":"bad"}"""), Op.Add("f", "fail", """{"message":"no {{trigger.item}}"}"""),
            Op.Transform("t", "\"{{trigger.item}}\""), Op.Connect("trg", "c"), Op.Connect("c", "f", "true"), Op.Connect("c", "t", "false"));
        var runId = await _author.RunAsync(await LoopAsync(body, "\"onError\":\"continue\",\"attempts\":3,\"concurrency\":2"), """{"list":["a","bad","b"]}""");
        var each = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs").GetProperty("each");

        Assert.Equal("""[{"result":"a"},null,{"result":"b"}]""", each.GetProperty("results").GetRawText());
        Assert.Equal((3, 1), (each.GetProperty("count").GetInt32(), each.GetProperty("failed").GetInt32()));
        var error = Assert.Single(each.GetProperty("errors").EnumerateArray());
        Assert.Equal((1, "block_failed", "no bad"), (error.GetProperty("index").GetInt32(), error.GetProperty("code").GetString(), error.GetProperty("message").GetString()));
        var tries = (await RowsAsync(_author, runId, 5)).Where(row => row.GetProperty("item").GetInt32() == 1);
        Assert.Equal([1, 2, 3], tries.Select(row => row.GetProperty("itemAttempt").GetInt32()));
    }

    [Fact]
    public async Task An_error_edge_leads_on_from_a_loop_that_failed()
    {
        var body = await _author.CreateAsync(Op.Trigger, Op.Add("f", "fail"), Op.Connect("trg", "f"));
        var id = await LoopAsync(body, "\"concurrency\":1", Op.Transform("t", "\"caught\""), Op.Connect("each", "t", "error"));
        Assert.Equal("caught", (await _author.OutputsAsync(id, """{"list":[1]}""")).GetProperty("t").GetProperty("result").GetString());
    }

    [Theory]
    [InlineData("[]", """{"results":[],"count":0,"failed":0,"errors":[]}""")]
    [InlineData("\"text\"", null)]
    [InlineData("null", null)]
    public async Task A_list_may_be_empty_but_must_be_one(string list, string? expected)
    {
        var body = await _author.CreateAsync(Op.Trigger);
        var run = await _author.UntilAsync(await _author.RunAsync(await LoopAsync(body, "\"concurrency\":1"), $$"""{"list":{{list}}}"""), "completed", "failed");
        Assert.Equal(expected, run.TryGetProperty("output", out var output) ? output.GetProperty("outputs").GetProperty("each").GetRawText() : null);
    }

    [Fact]
    public async Task A_list_that_is_too_long_and_a_loop_of_itself_come_to_an_end()
    {
        var body = await _author.CreateAsync(Op.Trigger);
        var tooLong = await _author.UntilAsync(await _author.RunAsync(await LoopAsync(body, "\"concurrency\":1"), $$"""{"list":[{{string.Join(',', Enumerable.Repeat('1', 1001))}}]}"""), "failed");
        Assert.Contains("1001", tooLong.GetProperty("error").GetString(), StringComparison.Ordinal);

        var id = await _author.CreateAsync();
        await _author.PatchAsync(id, 1, Op.Trigger, Op.Add("each", "for_each", $$"""{"items":[1],"workflowId":"{{id}}"}"""), Op.Connect("trg", "each"));
        var nested = await _author.UntilAsync(await _author.RunAsync(id), "failed");
        Assert.Contains("levels deep", nested.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_that_is_replayed_comes_to_the_same()
    {
        var body = await _author.CreateAsync(Op.Trigger, Op.Transform("t", "\"{{trigger.item}}!\""), Op.Connect("trg", "t"));
        var runId = await _author.RunAsync(await LoopAsync(body, "\"concurrency\":3"), """{"list":["a","b","c","d","e","f"]}""");
        var run = await _author.UntilAsync(runId, "completed");
        var fork = (await _author.PostAsync($"/v1/runs/{runId}:fork", """{"mode":"replay","fromSeq":0}""")).Body.GetProperty("runId").GetString()!;
        var replay = await _author.UntilAsync(fork, "completed");

        Assert.Equal(run.GetProperty("output").GetRawText(), replay.GetProperty("output").GetRawText());
        Assert.DoesNotContain("replay.diverged", (await _author.GetAsync($"/v1/runs/{fork}/events/poll?lastSequence=-1&timeout=1")).Body.GetRawText(), StringComparison.Ordinal);
    }

    private async Task<string> LoopAsync(string body, string parameters, params string[] more) => await _author.CreateAsync(
    [
        Op.Trigger, Op.Add("each", "for_each", $$$"""{"items":"{{trigger.list}}","workflowId":"{{{body}}}",{{{parameters}}}}"""), Op.Connect("trg", "each"), .. more,
    ]);

    /// <summary>The attempts of items, by item, once there are as many as expected.</summary>
    private protected static async Task<List<JsonElement>> RowsAsync(Author author, string runId, int expected)
    {
        List<JsonElement> rows = [];
        await Testing.Eventually.TrueAsync(async () =>
        {
            rows = [.. (await author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray().Where(row => row.TryGetProperty("item", out _))];
            return rows.Count == expected;
        });
        return [.. rows.OrderBy(row => row.GetProperty("item").GetInt32())];
    }
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedLoopTests(EmbeddedHost host) : LoopTests(host)
{
    [Fact]
    public async Task A_loop_goes_on_where_it_was_when_the_server_died()
    {
        var before = await Installation.StartAsync(Form.Embedded);
        string runId;
        List<string> started;
        using (var author = new Author([before.BaseUrl], Installation.Key))
        {
            var body = await author.CreateAsync(Op.Trigger, Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Connect("trg", "w"));
            var id = await author.CreateAsync(
                Op.Trigger, Op.Add("each", "for_each", $$$"""{"items":"{{trigger.list}}","workflowId":"{{{body}}}","concurrency":2}"""), Op.Connect("trg", "each"));
            runId = await author.RunAsync(id, """{"list":["a","b","c"]}""");
            started = [.. (await RowsAsync(author, runId, 2)).Select(row => row.GetProperty("childRunId").GetString()!)];
            await author.UntilAsync(started[0], "waiting");
            await author.PostAsync($"/api/runs/{started[0]}/resume", """{"blockId":"w","payload":"first"}""");
            await RowsAsync(author, runId, 3);
        }

        await using var after = await before.RestartAfterCrashAsync(Form.Embedded);
        using var again = new Author([after.BaseUrl], Installation.Key);
        var rows = await RowsAsync(again, runId, 3);
        Assert.Equal(started, rows.Take(2).Select(row => row.GetProperty("childRunId").GetString()!));
        foreach (var row in rows.Skip(1))
        {
            var child = row.GetProperty("childRunId").GetString()!;
            await again.UntilAsync(child, "waiting");
            Assert.Equal(202, (await again.PostAsync($"/api/runs/{child}/resume", $$"""{"blockId":"w","payload":{{row.GetProperty("item").GetInt32()}}}""")).Status);
        }

        var run = await again.UntilAsync(runId, "completed");
        var results = run.GetProperty("output").GetProperty("outputs").GetProperty("each").GetProperty("results").EnumerateArray();
        Assert.Equal(["\"first\"", "1", "2"], results.Select(result => result.GetProperty("data").GetRawText()));
    }
}

[Collection(OnCluster.Name)]
public sealed class ClusterLoopTests(ClusterHost host) : LoopTests(host);
