using System.Diagnostics;
using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Workflows as people build them, and many of them at once.</summary>
public abstract class ScenarioTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task A_drip_campaign_sends_every_message_once_and_in_order()
    {
        var id = await _author.CreateAsync(
            Op.Trigger, Message("welcome", "Welcome {{trigger.name}}"), Wait("w1"), Message("tip1", "First"), Op.Add("opened", "wait_for_event", """{"eventName":"mail.opened"}"""),
            Message("tip2", "You opened {{opened.data.mail}} at {{opened.data.n}}"), Wait("w2"), Message("final", "Bye"),
            Op.Connect("trg", "welcome"), Op.Connect("welcome", "w1"), Op.Connect("w1", "tip1"), Op.Connect("tip1", "opened"), Op.Connect("opened", "tip2"), Op.Connect("tip2", "w2"), Op.Connect("w2", "final"));
        var runId = await _author.RunAsync(id, """{"name":"Ada"}""");
        await _author.UntilAsync(runId, "waiting");
        Assert.Equal(202, (await _author.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"opened","payload":{"mail":"{{trigger.name}}","n":9007199254740993}}""")).Status);
        var outputs = (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs");

        // What somebody answers is data, whatever it looks like.
        Assert.Equal("You opened {{trigger.name}} at 9007199254740993", outputs.GetProperty("tip2").GetProperty("_text").GetString());
        var steps = (await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("stepName").GetString());
        Assert.Equal(
            ["block.welcome.run", "block.w1.sleep", "block.tip1.run", "block.opened.wait", "block.tip2.run", "block.w2.sleep", "block.final.run"], steps);
    }

    [Fact]
    public async Task Arms_that_part_and_meet_again_run_once_each()
    {
        var id = await _author.CreateAsync(
            Op.Trigger, Op.Transform("l", "\"{{trigger.n}}l\""), Op.Transform("r", "\"{{trigger.n}}r\""), Op.Transform("join", "\"{{l.result}}+{{r.result}}\""),
            Op.Connect("trg", "l"), Op.Connect("trg", "r"), Op.Connect("l", "join"), Op.Connect("r", "join"));
        var runId = await _author.RunAsync(id, """{"n":1}""");
        Assert.Equal("1l+1r", (await _author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs").GetProperty("join").GetProperty("result").GetString());
        Assert.Equal(3, (await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("{{trigger}}", """{"text":"{{env.SECRET}} {{t}}","deep":{"a":[{"b":1}]}}""")]
    [InlineData("{{trigger.text}}", "\"{{env.SECRET}} {{t}}\"")]
    [InlineData("{{trigger.deep.a.0.b}}", "1")]
    [InlineData("{{trigger.deep.a.0.b.c.d.e}}", null)]
    [InlineData("{{trigger.deep.a.length}}", null)]
    [InlineData("{{trigger.deep.a.-1}}", null)]
    public async Task What_the_input_says_is_data(string template, string? expected)
    {
        var id = await _author.CreateAsync(Op.Trigger, Op.Transform("t", $"\"{template}\""), Op.Connect("trg", "t"));
        var outputs = await _author.OutputsAsync(id, """{"text":"{{env.SECRET}} {{t}}","deep":{"a":[{"b":1}]}}""");
        Assert.Equal(expected, outputs.GetProperty("t").TryGetProperty("result", out var result) ? result.GetRawText() : null);
    }

    [Fact]
    public async Task A_run_without_an_input_has_an_empty_one()
    {
        var id = await _author.CreateAsync(Op.Trigger);
        var reply = await _author.PostAsync($"/api/workflows/{id}/run");
        Assert.Equal(202, reply.Status);
        Assert.Equal("{}", (await _author.UntilAsync(reply.Body.GetProperty("runId").GetString()!, "completed")).GetProperty("output").GetProperty("outputs").GetProperty("trg").GetRawText());
    }

    [Fact]
    public async Task After_a_cancellation_nothing_runs()
    {
        var id = await _author.CreateAsync(Op.Add("w", "wait_for_event", """{"eventName":"e"}"""), Op.Transform("t", "1"), Op.Connect("w", "t"));
        var runId = await _author.RunAsync(id);
        await _author.UntilAsync(runId, "waiting");
        Assert.Equal((204, 204), ((await _author.PostAsync($"/api/runs/{runId}/cancel")).Status, (await _author.PostAsync($"/api/runs/{runId}/cancel")).Status));
        Assert.Equal(409, (await _author.PostAsync($"/api/runs/{runId}/resume", """{"blockId":"w","payload":1}""")).Status);

        await _author.UntilAsync(runId, "canceled");
        var row = Assert.Single((await _author.GetAsync($"/api/runs/{runId}/logs")).Body.GetProperty("data").EnumerateArray());
        Assert.Equal(("w", "canceled"), (row.GetProperty("blockId").GetString(), row.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Of_many_runs_at_once_every_one_gives_its_own_and_is_seen_by_its_tenant_alone()
    {
        const int Runs = 60;
        string[] ops = [Op.Trigger, Wait("w"), Op.Transform("t", "\"{{trigger.tenant}}-{{trigger.n}}\""), Op.Connect("trg", "w"), Op.Connect("w", "t")];
        (Author Author, string Tenant, string Workflow)[] tenants =
            [(_author, "a", await _author.CreateAsync(ops)), (host.Stranger, "b", await host.Stranger.CreateAsync(ops))];
        var clock = Stopwatch.StartNew();
        var runs = await Task.WhenAll(Enumerable.Range(0, Runs).Select(async n =>
        {
            var (author, tenant, workflow) = tenants[n % 2];
            return (author, n, tenant, RunId: await author.RunAsync(workflow, $$"""{"tenant":"{{tenant}}","n":{{n}}}"""));
        }));
        Assert.Equal(Runs, runs.Select(run => run.RunId).Distinct().Count());
        foreach (var (author, n, tenant, runId) in runs)
        {
            var outputs = (await author.UntilAsync(runId, "completed")).GetProperty("output").GetProperty("outputs");
            Assert.Equal($"{tenant}-{n}", outputs.GetProperty("t").GetProperty("result").GetString());
            var other = author == _author ? host.Stranger : _author;
            Assert.Equal((404, 404), ((await other.GetAsync($"/api/runs/{runId}")).Status, (await other.PostAsync($"/api/runs/{runId}/cancel")).Status));
        }

        // Waits hold nobody: together they take about as long as one.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"{clock.Elapsed}");
    }

    private static string Message(string id, string text) => Op.Add(id, "slack", $$"""{"operation":"send","channel":"c","text":{{JsonSerializer.Serialize(text)}}}""");

    private static string Wait(string id) => Op.Add(id, "wait_duration", """{"duration":1,"unit":"seconds"}""");
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedScenarioTests(EmbeddedHost host) : ScenarioTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterScenarioTests(ClusterHost host) : ScenarioTests(host);
