using System.Globalization;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Block types, each as authors use it.</summary>
public abstract class BlockTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task The_catalogue_has_what_workflows_are_made_of()
    {
        var types = (await _author.GetAsync("/api/connectors")).Body.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("type").GetString()!);
        Assert.Superset(
            new HashSet<string>
            {
                "trigger_manual", "trigger_webhook", "trigger_schedule", "http", "transform", "condition", "switch", "parallel", "join", "for_each", "wait_duration", "wait_until",
                "wait_for_event", "human_approval", "human_input", "sub_workflow", "ai_prompt", "map_data", "set_variables", "log", "fail",
            },
            types.ToHashSet());
    }

    [Theory]
    [InlineData("trigger_manual")]
    [InlineData("trigger_schedule")]
    [InlineData("trigger_webhook")]
    public async Task A_trigger_gives_the_input_of_the_run(string type)
    {
        var id = await _author.CreateAsync(Op.Add("start", type), Op.Transform("t", "\"{{start.a.b}}\""), Op.Connect("start", "t"));
        var runId = await _author.RunAsync(id, """{"a":{"b":"c"}}""");
        var outputs = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs");

        Assert.Equal("""{"a":{"b":"c"}}""", outputs.GetProperty("start").GetRawText());
        Assert.Equal("c", outputs.GetProperty("t").GetProperty("result").GetString());
        Assert.Single((await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Waiting_until_a_time_waits_for_it_and_for_no_time_that_is_over()
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Add("w", "wait_until", """{"until":"{{trigger.at}}"}"""), Op.Connect("trg", "w"));
        var at = DateTimeOffset.UtcNow.AddSeconds(1).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

        Assert.Equal(at, (await _author.OutputsAsync(id, $$"""{"at":"{{at}}"}""")).GetProperty("w").GetProperty("resumedAt").GetString());
        Assert.True(DateTimeOffset.UtcNow >= DateTimeOffset.Parse(at, CultureInfo.InvariantCulture));
        Assert.True((await _author.OutputsAsync(id, """{"at":1}""")).GetProperty("w").TryGetProperty("resumedAt", out _));
        foreach (var odd in new[] { "\"soon\"", "null", "[]", "\"9999-01-01T00:00:00Z\"", "-1", "9e99" })
            await _author.UntilAsync(await _author.RunAsync(id, $$"""{"at":{{odd}}}"""), "failed");
    }

    [Fact]
    public async Task A_person_fills_in_what_the_schema_asks_for()
    {
        var id = await _author.CreateAsync(
            Op.Add("ask", "human_input", """{"prompt":"Which address?","schema":{"type":"object","required":["street"],"properties":{"street":{"type":"string"}}}}"""),
            Op.Transform("t", "\"to {{ask.data.street}}, {{ask.timedOut}}\""), Op.Connect("ask", "t"));
        var runId = await _author.RunAsync(id);
        await _author.UntilAsync(runId, "waiting");
        Assert.Equal("waiting-input", (await _author.GetAsync($"/v1/runs/{runId}")).Body.GetProperty("status").GetString());

        Assert.Equal(400, (await _author.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"ask","payload":{"street":7}}""")).Status);
        Assert.Equal(202, (await _author.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"ask","payload":{"street":"Main"}}""")).Status);
        var run = await _author.UntilAsync(runId, "completed");
        Assert.Equal("to Main, false", run.GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetString());
        Assert.Equal(409, (await _author.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"ask","payload":{"street":"Side"}}""")).Status);
    }

    [Fact]
    public async Task A_person_who_does_not_answer_in_time_is_not_waited_for()
    {
        var id = await _author.CreateAsync(Op.Add("ask", "human_input", """{"prompt":"?","timeoutHours":0.0001}"""));
        Assert.Equal("""{"data":null,"timedOut":true}""", (await _author.OutputsAsync(id)).GetProperty("ask").GetRawText());
    }

    [Theory]
    [InlineData("""{"a":{"b":1},"n":"2"}""", """{"fields":{"x":"a.b","n":{"path":"n","type":"number"},"z":{"path":"none","default":"d"},"gone":"none"}}""", """{"x":1,"n":2,"z":"d"}""")]
    [InlineData("""[{"t":5,"id":9007199254740993},{"t":50,"id":2}]""", """{"fields":{"id":"id"},"where":{"path":"t","operator":"less","value":10}}""", """[{"id":9007199254740993}]""")]
    [InlineData("""[{"t":true},{}]""", """{"where":{"path":"t","operator":"exists"}}""", """[{"t":true}]""")]
    [InlineData("""{"list":[1,2]}""", """{"fields":{"second":"list.1","all":""}}""", """{"second":2,"all":{"list":[1,2]}}""")]
    public async Task Data_are_given_another_shape_without_code(string source, string parameters, string expected)
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Add("m", "map_data", $$$"""{"source":"{{trigger.s}}",{{{parameters[1..]}}}"""), Op.Connect("trg", "m"));
        Assert.Equal(expected, (await _author.OutputsAsync(id, $$"""{"s":{{source}}}""")).GetProperty("m").GetProperty("result").GetRawText());
    }

    [Theory]
    [InlineData("""{"source":1,"fields":[1]}""")]
    [InlineData("""{"source":1,"fields":{"a":7}}""")]
    [InlineData("""{"source":1,"fields":{"a":{"path":"x","type":"date"}}}""")]
    [InlineData("""{"source":[1],"where":{"path":"x","operator":"like"}}""")]
    [InlineData("""{"source":"{{trigger.none}}"}""")]
    public async Task Fields_that_are_none_fail_by_name(string parameters)
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Add("m", "map_data", parameters), Op.Connect("trg", "m"));
        var run = await _author.UntilAsync(await _author.RunAsync(id), "failed");
        Assert.Contains("of node 'm' must", run.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", """["Hello ","Ada"]""", "{{ai.text}} by {{ai.model}}", "Hello Ada by mock-stream-text-v1")]
    [InlineData(""","outputSchema":{"type":"object","required":["score"]}""", """["{\"score\":","7}"]""", "score {{ai.output.score}}", "score 7")]
    public async Task A_model_is_asked_and_its_answer_can_be_referred_to(string parameters, string tokens, string template, string expected)
    {
        var id = await _author.CreateAsync(
            Op.Trigger, Op.Add("ai", "ai_prompt", $$$"""{"prompt":"Greet {{trigger.name}}"{{{parameters}}}}"""), Op.Transform("t", $"\"{template}\""), Op.Connect("trg", "ai"), Op.Connect("ai", "t"));
        var started = await _author.PostAsync(
            "/v1/runs", $$"""{"workflowId":"{{id}}","inputs":{"name":"Ada"},"configurable":{"mockProvider":{"config":{"tokens":{{tokens}} },"id":"stream-text"} } }""");
        Assert.Equal(201, started.Status);

        var run = await _author.UntilAsync(started.Body.GetProperty("runId").GetString()!, "completed", "failed");
        Assert.Equal(expected, run.GetProperty("output").GetProperty("outputs").GetProperty("t").GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_server_without_models_takes_the_error_edge()
    {
        var id = await _author.CreateAsync(Op.Add("ai", "ai_prompt", """{"prompt":"?"}"""), Op.Transform("none", "\"no model\""), Op.Connect("ai", "none", "error"));
        Assert.Equal("no model", (await _author.OutputsAsync(id)).GetProperty("none").GetProperty("result").GetString());
    }
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedBlockTests(EmbeddedHost host) : BlockTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterBlockTests(ClusterHost host) : BlockTests(host);
