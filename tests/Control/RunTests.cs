using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Control.Tests;

/// <summary>What blocks do when they run, and how their runs are followed.</summary>
public abstract class RunTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Theory]
    [InlineData("\"{{trigger.a}}\"", """{"a":{"b":[1,true,null]}}""", """{"b":[1,true,null]}""")]
    [InlineData("\"{{trigger}}\"", """{"a":1}""", """{"a":1}""")]
    [InlineData("\"{{ trigger.a.b.1 }}\"", """{"a":{"b":[1,2]}}""", "2")]
    [InlineData("\"n={{trigger.n}} o={{trigger.o}} x={{trigger.x.y}}.\"", """{"n":9007199254740993,"o":{"a":1}}""", "\"n=9007199254740993 o={\\\"a\\\":1} x=.\"")]
    [InlineData("""{"a":"{{trigger.no}}","b":["{{trigger.no}}"]}""", "{}", """{"b":[null]}""")]
    [InlineData("\"{{trigger.t}}\"", """{"t":"{{env.SECRET}} {{trigger.t}}"}""", "\"{{env.SECRET}} {{trigger.t}}\"")]
    [InlineData("\"{{trigger.a.length}}\"", """{"a":[1]}""", null)]
    [InlineData("\"{{trigger}}\"", "\"text\"", "\"text\"")]
    [InlineData("\"{{trigger}}\"", "[1,2]", "[1,2]")]
    [InlineData("\"{{trigger}}\"", "null", "{}")]
    [InlineData("\"{{trg.msg}}\"", """{"msg":"m"}""", "\"m\"")]
    public async Task References_are_replaced_once_by_what_they_name(string template, string input, string? result)
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Transform("t", template), Op.Connect("trg", "t"));

        var output = (await _author.OutputsAsync(id, input)).GetProperty("t");

        Assert.Equal(result is null ? "{}" : $$"""{"result":{{result}}}""", output.GetRawText());
    }

    [Fact]
    public async Task Blocks_are_referred_to_by_id_then_name_then_slug()
    {
        var id = await _author.CreateAsync(
            Op.Add("a", "transform", """{"template":"of a"}""", name: "My Step"), Op.Add("b", "transform", """{"template":"of b"}""", name: "a"),
            Op.Transform("t", "\"{{a.result}}, {{My Step.result}}, {{my_step.result}}\""), Op.Connect("a", "t"), Op.Connect("b", "t"));

        Assert.Equal("of a, of a, of a", (await _author.OutputsAsync(id)).GetProperty("t").GetProperty("result").GetString());
    }

    [Theory]
    [InlineData("true→x, false→y", """{"template":true}""", "x")]
    [InlineData("true→x, false→y", """{"template":false}""", "y")]
    [InlineData("true→x", """{"template":false}""", "")]
    [InlineData("true→x, →y", """{"template":false}""", "y")]
    [InlineData("success→x, error→y", """{"template":1}""", "x")]
    [InlineData("error→x, →y", """{"template":1}""", "y")]
    [InlineData("error→x", """{"template":1}""", "")]
    [InlineData("→x, →y", """{"template":1}""", "x,y")]
    public async Task Handles_lead_where_the_output_says(string connections, string parameters, string executed)
    {
        var ops = connections.Split(", ").Select(connection => connection.Split('→')).Select(part => Op.Connect("s", part[1], part[0].Length == 0 ? null : part[0]));
        var id = await _author.CreateAsync([Op.Add("s", "transform", parameters), Op.Transform("x", "1"), Op.Transform("y", "1"), .. ops, Op.Transform("root", "1"), Op.Connect("root", "y", "never")]);

        var outputs = await _author.OutputsAsync(id);

        Assert.Equal(executed, string.Join(',', outputs.EnumerateObject().Select(output => output.Name).Where(name => name is "x" or "y")));
    }

    [Fact]
    public async Task A_switch_leads_by_the_branch_that_it_names()
    {
        var id = await _author.CreateAsync(
            Op.Add("s", "switch", """{"value":"{{trigger.c}}","cases":{"home":"CH","europe":["DE","FR"]}}"""),
            Op.Transform("h", "1"), Op.Transform("e", "1"), Op.Transform("o", "1"), Op.Connect("s", "h", "home"), Op.Connect("s", "e", "europe"), Op.Connect("s", "o"));

        foreach (var (country, expected) in new[] { ("CH", "h"), ("FR", "e"), ("US", "o") })
            Assert.Equal([expected, "s"], (await _author.OutputsAsync(id, $$"""{"c":"{{country}}"}""")).EnumerateObject().Select(output => output.Name));
    }

    [Fact]
    public async Task A_join_runs_once_whichever_branch_arrives()
    {
        var id = await _author.CreateAsync(
            Op.Add("c", "condition", """{"left":"{{trigger.n}}","operator":"greater","right":5}"""),
            Op.Transform("a", "\"A\""), Op.Transform("b", "\"B\""), Op.Transform("j", "\"{{a.result}}{{b.result}}\""),
            Op.Connect("c", "a", "true"), Op.Connect("c", "b", "false"), Op.Connect("a", "j"), Op.Connect("b", "j"));

        Assert.Equal("A", (await _author.OutputsAsync(id, """{"n":7}""")).GetProperty("j").GetProperty("result").GetString());
        Assert.Equal("B", (await _author.OutputsAsync(id, """{"n":3}""")).GetProperty("j").GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_failure_is_followed_by_its_handle_or_fails_the_run_when_all_else_is_done()
    {
        var handled = await _author.CreateAsync(Op.Failing("f"), Op.Transform("e", "1"), Op.Transform("n", "1"), Op.Connect("f", "e", "error"), Op.Connect("f", "n"));
        Assert.Equal(["e"], (await _author.OutputsAsync(handled)).EnumerateObject().Select(output => output.Name));

        var failing = await _author.CreateAsync(Op.Failing("f"), Op.Add("w", "wait_duration", """{"duration":1,"unit":"seconds"}"""), Op.Transform("t", "1"), Op.Connect("w", "t"));
        var runId = await _author.RunAsync(failing);
        var run = await _author.UntilAsync(runId, "failed");
        Assert.Contains("explode", run.GetProperty("error").GetString(), StringComparison.Ordinal);
        var rows = (await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(["block.f.run failed function", "block.w.sleep completed sleep", "block.t.run completed function"], rows.Select(Describe));
        Assert.Contains("explode", rows[0].GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);

        var first = (await _author.GetAsync($"/api/runs/{runId}/logs?limit=1")).Body;
        var second = (await _author.GetAsync($"/api/runs/{runId}/logs?limit=2&after={first.GetProperty("pagination").GetProperty("next").GetString()}")).Body;
        Assert.Equal(rows.Select(Describe), first.GetProperty("data").EnumerateArray().Concat(second.GetProperty("data").EnumerateArray()).Select(Describe));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("pagination").GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task Waits_are_answered_from_either_plane_and_hold_no_other_arm()
    {
        var id = await _author.CreateAsync(
            Op.Add("w", "wait_for_event", """{"eventName":"paid"}"""), Op.Transform("t", "\"{{w.data.x}}\""), Op.Connect("w", "t"),
            Op.Add("h", "human_approval", """{"prompt":"Ship?"}"""), Op.Transform("yes", "\"{{h.note}}\""), Op.Transform("no", "1"), Op.Connect("h", "yes", "true"), Op.Connect("h", "no", "false"),
            Op.Transform("free", "1"));
        var runId = await _author.RunAsync(id);
        await _author.UntilAsync(runId, "waiting");
        var snapshot = (await _author.GetAsync($"/v1/runs/{runId}")).Body;
        Assert.Equal(("waiting-external", "w"), (snapshot.GetProperty("status").GetString(), snapshot.GetProperty("currentNodeId").GetString()));
        Assert.Contains((await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray().Select(Describe), row => row == "block.w.wait running signal-wait");
        Assert.Equal("completed", snapshot.GetProperty("nodeStates").GetProperty("free").GetProperty("status").GetString());

        Assert.Equal(404, (await ResumeAsync(runId, """{"blockId":"none","payload":1}""")).Status);
        Assert.Equal(400, (await ResumeAsync(runId, """{"payload":1}""")).Status);
        Assert.Equal(404, (await host.Stranger.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"w","payload":1}""")).Status);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ResumeAsync(runId, """{"blockId":"w","payload":{"x":[1,{"a":"{{trigger}}"}]}}""")));
        Assert.Single(answers, answer => answer.Status == 202);
        Assert.All(answers.Where(answer => answer.Status != 202), answer => Assert.Equal(409, answer.Status));

        Assert.Equal("waiting-approval", (await _author.GetAsync($"/v1/runs/{runId}")).Body.GetProperty("status").GetString());
        Assert.Equal(200, (await _author.PostAsync($"/v1/runs/{runId}/interrupts/h", """{"resumeValue":{"action":"accept","note":"fine"}}""")).Status);
        var outputs = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs");
        Assert.Equal("""[1,{"a":"{{trigger}}"}]""", outputs.GetProperty("t").GetProperty("result").GetRawText());
        Assert.False(outputs.GetProperty("w").GetProperty("timedOut").GetBoolean());
        Assert.Equal((true, "fine"), (outputs.GetProperty("h").GetProperty("approved").GetBoolean(), outputs.GetProperty("yes").GetProperty("result").GetString()));
        Assert.Equal(409, (await ResumeAsync(runId, """{"blockId":"w","payload":1}""")).Status);
    }

    [Fact]
    public async Task A_rejection_and_a_time_out_are_outputs_like_others()
    {
        var id = await _author.CreateAsync(Op.Add("h", "human_approval", """{"prompt":"Ship?"}"""), Op.Transform("t", "\"{{h.approved}} {{h.by}}\""), Op.Connect("h", "t"));
        var runId = await _author.RunAsync(id);
        await _author.UntilAsync(runId, "waiting");
        Assert.Equal(202, (await ResumeAsync(runId, """{"blockId":"h","payload":{"approved":false,"by":"ada"}}""")).Status);
        Assert.Equal("false ada", (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetString());

        var late = await _author.CreateAsync(Op.Add("w", "wait_for_event", """{"eventName":"e","timeoutHours":0.0002}"""));
        Assert.Equal("""{"data":null,"timedOut":true}""", (await _author.OutputsAsync(late)).GetProperty("w").GetRawText());
    }

    [Fact]
    public async Task A_wait_takes_its_time_and_records_its_end_once()
    {
        var id = await _author.CreateAsync(Op.Add("w", "wait_duration", """{"duration":"1","unit":"s"}"""), Op.Transform("t", "\"{{w.resumedAt}}\""), Op.Connect("w", "t"));
        var clock = Stopwatch.StartNew();
        var runId = await _author.RunAsync(id);
        await _author.UntilAsync(runId, "sleeping");
        var outputs = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs");

        Assert.True(clock.ElapsedMilliseconds >= 900);
        Assert.Equal(outputs.GetProperty("w").GetProperty("resumedAt").GetString(), outputs.GetProperty("t").GetProperty("result").GetString());
        var odd = await _author.CreateAsync(Op.Add("w", "wait_duration", """{"duration":1,"unit":"parsec"}"""));
        Assert.Contains("unit", (await _author.UntilAsync(await _author.RunAsync(odd), "failed")).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_fails_is_tried_again_and_any_answer_is_a_success()
    {
        using var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        var address = (IPEndPoint)port.LocalEndpoint;
        port.Stop();
        var id = await _author.CreateAsync(Op.Add("h", "http", $$"""{"url":"http://127.0.0.1:{{address.Port}}/x"}"""));
        var runId = await _author.RunAsync(id);
        await Eventually.TrueAsync(async () => (await LogsAsync(runId)).Count > 0 && (await LogsAsync(runId))[0].GetProperty("status").GetString() == "failed");

        using var server = new HttpListener { Prefixes = { $"http://127.0.0.1:{address.Port}/" } };
        server.Start();
        var request = await server.GetContextAsync();
        request.Response.StatusCode = 503;
        request.Response.ContentType = "application/json";
        request.Response.Close("""{"a":1}"""u8.ToArray(), willBlock: false);
        var output = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs").GetProperty("h");
        Assert.Equal((503, 1), (output.GetProperty("status").GetInt32(), output.GetProperty("body").GetProperty("a").GetInt32()));
        var rows = await LogsAsync(runId);
        Assert.Equal("block.h.run completed function", Describe(rows[^1]));
        Assert.True(rows.Count > 1);
    }

    [Fact]
    public async Task A_run_keeps_the_version_that_it_was_started_with_and_can_be_cancelled()
    {
        var id = await _author.CreateAsync(Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Transform("t", "\"old\""), Op.Connect("w", "t"));
        var kept = await _author.RunAsync(id);
        var cancelled = await _author.RunAsync(id);
        await _author.UntilAsync(kept, "waiting");
        await _author.PatchAsync(id, 2, """{"operation_type":"edit","block_id":"t","params":{"template":"new"}}""");
        Assert.Equal(204, (await _author.SendAsync(HttpMethod.Delete, $"/api/workflows/{id}", null, "3")).Status);

        Assert.Equal(202, (await ResumeAsync(kept, """{"blockId":"w"}""")).Status);
        var run = await _author.UntilAsync(kept, "completed");
        Assert.Equal(("old", 2), (run.GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetString(), run.GetProperty("workflowVersion").GetInt32()));
        foreach (var status in new[] { 204, 204 })
            Assert.Equal(status, (await _author.PostAsync($"/api/runs/{cancelled}/cancel")).Status);
        Assert.Equal("canceled", (await _author.UntilAsync(cancelled, "canceled")).GetProperty("state").GetString());
        Assert.Equal(409, (await _author.PostAsync($"/api/runs/{kept}/cancel")).Status);
        Assert.Equal(409, (await ResumeAsync(cancelled, """{"blockId":"w","payload":1}""")).Status);
    }

    [Fact]
    public async Task The_same_key_makes_one_run_of_a_workflow()
    {
        var id = await _author.CreateAsync(Op.Transform("t", "1"));
        var other = await _author.CreateAsync(Op.Transform("t", "1"));
        var runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => StartAsync(id, $$$"""{"idempotencyKey":"k","input":{"i":{{{i}}}}}""")));

        Assert.Single(runs.Distinct());
        Assert.NotEqual(runs[0], await StartAsync(other, """{"idempotencyKey":"k"}"""));
        Assert.Equal(400, (await _author.PostAsync($"/api/workflows/{id}/run", "not json")).Status);
        Assert.Equal(400, (await _author.PostAsync($"/api/workflows/{id}/run", """{"idempotencyKey":7}""")).Status);
        Assert.Equal(202, (await _author.PostAsync($"/api/workflows/{id}/run")).Status);
        Assert.Equal(202, (await _author.PostAsync($"/api/workflows/{id}/run", """{"tags":["\u0000","a"]}""")).Status);
    }

    [Fact]
    public async Task Runs_are_on_both_planes_and_listed_newest_first()
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Transform("t", "\"{{trigger.n}}\""), Op.Connect("trg", "t"));
        var tag = $"tag-{Guid.NewGuid():n}";
        List<string> ids = [];
        for (var i = 0; i < 5; i++)
        {
            var made = await _author.PostAsync("/v1/runs", $$"""{"workflowId":"{{id}}","inputs":{"n":{{i}}},"tags":["{{tag}}"]}""");
            ids.Add(made.Body.GetProperty("runId").GetString()!);
            var run = await _author.UntilAsync(ids[^1], "completed");
            Assert.Equal((i, tag), (run.GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetInt32(), run.GetProperty("tags")[0].GetString()));
        }

        foreach (var filter in new[] { $"tag={tag}", $"workflowId={id}", $"workflowId={id}&state=completed", $"tag={tag}&state=completed&workflowId={id}" })
        {
            var first = (await _author.GetAsync($"/api/runs?{filter}&limit=3")).Body;
            var second = (await _author.GetAsync($"/api/runs?{filter}&limit=3&after={first.GetProperty("pagination").GetProperty("next").GetString()}")).Body;
            Assert.Equal(ids.AsEnumerable().Reverse(), Ids(first).Concat(Ids(second)));
        }

        Assert.Empty(Ids((await _author.GetAsync($"/api/runs?tag={tag}&state=failed")).Body));
        Assert.Empty(Ids((await host.Stranger.GetAsync($"/api/runs?tag={tag}")).Body));
        Assert.Equal((400, 400), ((await _author.GetAsync("/api/runs?state=dreaming")).Status, (await _author.GetAsync("/api/runs?after=x")).Status));
        foreach (var path in new[] { "", "/logs" })
        {
            var foreign = await host.Stranger.GetAsync($"/api/runs/{ids[0]}{path}");
            Assert.Equal((404, (await host.Stranger.GetAsync($"/api/runs/run-none{path}")).Body.GetRawText()), (foreign.Status, foreign.Body.GetRawText()));
        }

        Assert.Equal(404, (await host.Stranger.PostAsync($"/api/runs/{ids[0]}/cancel")).Status);
        var events = (await _author.GetAsync($"/v1/runs/{ids[0]}/events/poll")).Body.GetProperty("events").EnumerateArray().ToList();
        Assert.Contains(events, @event => @event.GetProperty("type").GetString() == "node.completed" && @event.GetProperty("nodeId").GetString() == "t");
    }

    [Fact]
    public async Task Empty_unconnected_long_and_wide_workflows_run()
    {
        Assert.Equal("{}", (await _author.OutputsAsync(await _author.CreateAsync())).GetRawText());
        Assert.Equal(3, (await _author.OutputsAsync(await _author.CreateAsync(Op.Transform("a", "1"), Op.Transform("b", "1"), Op.Transform("c", "1")))).EnumerateObject().Count());

        var chain = Enumerable.Range(0, 100).Select(i => Op.Transform($"b{i}", i == 0 ? "\"x\"" : $"\"{{{{b{i - 1}.result}}}}\"")).Concat(Enumerable.Range(1, 99).Select(i => Op.Connect($"b{i - 1}", $"b{i}")));
        Assert.Equal("x", (await _author.OutputsAsync(await _author.CreateAsync([.. chain]))).GetProperty("b99").GetProperty("result").GetString());

        var fan = Enumerable.Range(0, 100).SelectMany(i => new[] { Op.Transform($"b{i}", $"\"{{{{trg.n}}}}-{i}\""), Op.Connect("trg", $"b{i}") });
        var outputs = await _author.OutputsAsync(await _author.CreateAsync([Op.Trigger, .. fan]), """{"n":"v"}""");
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal($"v-{i}", outputs.GetProperty($"b{i}").GetProperty("result").GetString()));
    }

    [Fact]
    public async Task A_disabled_block_is_left_out_together_with_its_connections()
    {
        var id = await _author.CreateAsync(
            Op.Transform("a", "1"), Op.Transform("t", "\"got [{{a.result}}] back\""), Op.Connect("a", "t"), """{"operation_type":"disable","block_id":"a"}""");

        Assert.Equal("""{"t":{"result":"got [] back"}}""", (await _author.OutputsAsync(id)).GetRawText());
    }

    [Fact]
    public async Task A_workflow_runs_another_one_and_sets_variables()
    {
        var child = await _author.CreateAsync(Op.Trigger, Op.Transform("t", "\"{{trigger.n}}!\""), Op.Connect("trg", "t"));
        var id = await _author.CreateAsync(
            Op.Add("c", "sub_workflow", $$$$"""{"workflowId":"{{{{child}}}}","input":{"n":"{{trigger.n}}"}}"""),
            Op.Add("v", "set_variables", """{"variables":{"x":"{{c.childOutputs.result}}"}}"""), Op.Transform("t", "\"{{vars.x}}\""), Op.Connect("c", "v"), Op.Connect("v", "t"));

        Assert.Equal("hi!", (await _author.OutputsAsync(id, """{"n":"hi"}""")).GetProperty("t").GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_run_of_blocks_can_be_replayed_and_forked()
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Transform("t", "\"{{w.data}} {{trigger.n}}\""), Op.Connect("trg", "w"), Op.Connect("w", "t"));
        var runId = await _author.RunAsync(id, """{"n":1}""");
        await _author.UntilAsync(runId, "waiting");
        await ResumeAsync(runId, """{"blockId":"w","payload":"p"}""");
        await _author.UntilAsync(runId, "completed");

        var fork = await _author.PostAsync($"/v1/runs/{runId}:fork", """{"mode":"replay","fromSeq":0}""");
        Assert.Equal(201, fork.Status);
        var replay = await _author.UntilAsync(fork.Body.GetProperty("runId").GetString()!, "completed");
        Assert.Equal("p 1", replay.GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetString());
    }

    private Task<Reply> ResumeAsync(string runId, string body) => _author.PostAsync($"/api/runs/{runId}/resume", body);

    private async Task<string> StartAsync(string id, string body) => (await _author.PostAsync($"/api/workflows/{id}/run", body)).Body.GetProperty("runId").GetString()!;

    private async Task<List<JsonElement>> LogsAsync(string runId) => [.. (await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray()];

    private static string Describe(JsonElement row) =>
        $"{row.GetProperty("stepName").GetString()} {row.GetProperty("status").GetString()} {row.GetProperty("kind").GetString()}";

    private static IEnumerable<string> Ids(JsonElement page) => page.GetProperty("data").EnumerateArray().Select(run => run.GetProperty("id").GetString()!);
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedRunTests(EmbeddedHost host) : RunTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterRunTests(ClusterHost host) : RunTests(host);
