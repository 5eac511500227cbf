using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>What operations may make of a graph, and how they are told that they may not.</summary>
public abstract class GraphTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task The_first_block_of_an_id_stays()
    {
        var reply = await PatchAsync(Op.Transform("a", "1"), Op.Transform("a", "2"), Op.Add("a", "http"));
        Assert.Equal(["block_already_exists", "block_already_exists"], Codes(reply));
        Assert.Contains("edit", Skips(reply)[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(Blocks(reply)).GetProperty("params").GetProperty("template").GetInt32());
    }

    [Fact]
    public async Task Edges_of_blocks_that_do_not_exist_are_not_stored()
    {
        var reply = await PatchAsync(Op.Transform("a", "1"), Op.Connect("a", "ghost"), Op.Connect("ghost", "a"), Op.Connect("ghost", "ghost"));
        Assert.Equal(["invalid_edge_target", "invalid_edge_source", "invalid_edge_source"], Codes(reply));
        Assert.Equal("ghost", Skips(reply)[0].GetProperty("details").GetProperty("target_block_id").GetString());
        Assert.All(Skips(reply).Skip(1), skip => Assert.False(skip.TryGetProperty("details", out _)));
        Assert.Empty(Connections(reply));
    }

    [Fact]
    public async Task An_edge_that_would_close_a_cycle_is_not_drawn()
    {
        var reply = await PatchAsync(
            Op.Transform("a", "1"), Op.Transform("b", "1"), Op.Transform("c", "1"), Op.Connect("a", "a"), Op.Connect("a", "b"), Op.Connect("b", "a"), Op.Connect("b", "c"), Op.Connect("c", "a"),
            Op.Connect("c", "a", "true"));
        Assert.Equal(Enumerable.Repeat("cycle_introduced", 4), Codes(reply));
        Assert.Equal(["a>b", "b>c"], Connections(reply));
    }

    [Fact]
    public async Task An_edge_is_removed_only_in_its_direction_and_by_its_handle()
    {
        var reply = await PatchAsync(
            Op.Transform("a", "1"), Op.Transform("b", "1"), Op.Connect("a", "b"), Op.Connect("a", "b", "true"), Op.Connect("a", "b", ""), Disconnect("b", "a"), Disconnect("a", "b", "false"), Disconnect("a", "b", "true"));
        Assert.Equal(["duplicate_connection", "edge_not_found", "edge_not_found"], Codes(reply));
        Assert.Equal(["a>b"], Connections(reply));
    }

    [Fact]
    public async Task Deleting_the_block_in_the_middle_leaves_what_does_not_touch_it()
    {
        var reply = await PatchAsync(
            Op.Transform("a", "1"), Op.Transform("b", "1"), Op.Transform("c", "1"), Op.Connect("a", "b"), Op.Connect("b", "c"), Op.Connect("a", "c"), """{"operation_type":"delete","block_id":"b"}""");
        Assert.Empty(Codes(reply));
        Assert.Equal(["a>c"], Connections(reply));
    }

    [Fact]
    public async Task Operations_apply_in_order_and_a_list_that_comes_again_changes_nothing()
    {
        string[] ops = [Op.Connect("a", "b"), Op.Transform("a", "1"), Op.Transform("b", "1"), """{"operation_type":"delete","block_id":"b"}""", Op.Transform("b", "2"), Op.Connect("a", "b")];
        var id = await _author.CreateAsync();
        var first = (await _author.PatchAsync(id, 1, ops)).Body;
        Assert.Equal(["invalid_edge_source"], Codes(first));

        var again = (await _author.PatchAsync(id, 2, Op.Transform("a", "1"), Op.Transform("b", "2"), Op.Connect("a", "b"))).Body;
        Assert.Equal(["block_already_exists", "block_already_exists", "duplicate_connection"], Codes(again));
        Assert.Equal(first.GetProperty("workflow").GetRawText(), again.GetProperty("workflow").GetRawText());
        Assert.Equal(2, again.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task The_good_half_of_a_list_applies_and_none_of_the_bad()
    {
        var ops = Enumerable.Range(0, 50).Select(i => i % 2 == 0 ? Op.Transform($"good{i}", "1") : i % 4 == 1 ? Op.Add($"bad{i}", "nothing") : Op.Connect($"bad{i}", "nobody"));
        var reply = await PatchAsync([.. ops]);
        Assert.Equal(25, Skips(reply).Count);
        Assert.Equal(25, Blocks(reply).Count);
        Assert.All(Blocks(reply), block => Assert.StartsWith("good", block.GetProperty("id").GetString(), StringComparison.Ordinal));
        Assert.StartsWith("Applied 25 of 50 operation(s).", reply.GetProperty("summary").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{fetch.full_name}}", "Available: status, body, headers")]
    [InlineData("{{after.result}}", "not upstream")]
    [InlineData("{{t.result}}", "not upstream")]
    [InlineData("{{nobody.x}}", "nobody")]
    [InlineData("{{env.SECRET}}", "env")]
    [InlineData("{{secrets.KEY}}", "secrets")]
    public async Task A_reference_that_leads_nowhere_is_named(string template, string fragment)
    {
        var reply = await PatchAsync(
            Op.Trigger, Op.Add("fetch", "http", """{"url":"http://x"}"""), Op.Transform("t", $"\"a {template} b\""), Op.Transform("after", "1"), Op.Connect("trg", "fetch"), Op.Connect("fetch", "t"), Op.Connect("t", "after"));
        var error = Assert.Single(reply.GetProperty("validation_errors").EnumerateArray());
        Assert.Equal(("t", "transform", "*", template), (Text(error, "block_id"), Text(error, "block_type"), Text(error, "field"), Text(error, "value")));
        Assert.Contains(fragment, Text(error, "error"), StringComparison.Ordinal);
        Assert.Empty(Codes(reply));
    }

    [Fact]
    public async Task A_param_that_is_hidden_or_for_people_is_dropped_by_name()
    {
        var reply = await PatchAsync(
            Op.Add("s", "slack", """{"operation":"send","channel":"c","text":"t","accessToken":"xoxb-1"}"""), Op.Add("h", "human_approval", """{"prompt":"p","resumeBaseUrl":"http://x"}"""));
        var errors = reply.GetProperty("validation_errors").EnumerateArray().ToList();
        Assert.Equal(["accessToken", "resumeBaseUrl"], errors.Select(error => Text(error, "field")!));
        Assert.Contains("not exposed by block 'slack'", Text(errors[0], "error"), StringComparison.Ordinal);
        Assert.Contains("not exposed by block 'human_approval'", Text(errors[1], "error"), StringComparison.Ordinal);
        Assert.False(errors[0].TryGetProperty("value", out _));
        Assert.Equal(2, Blocks(reply).Count);
    }

    [Fact]
    public async Task Every_patch_says_what_still_keeps_the_workflow_from_running()
    {
        var id = await _author.CreateAsync();
        await _author.PatchAsync(id, 1, Op.Add("h", "http"));
        var other = (await _author.PatchAsync(id, 2, Op.Transform("t", "1"))).Body;
        Assert.Equal(("h", "url"), (Text(Assert.Single(other.GetProperty("validation_errors").EnumerateArray()), "block_id"), Text(other.GetProperty("validation_errors")[0], "field")));
        Assert.False(other.GetProperty("ok").GetBoolean());
        Assert.True((await _author.PatchAsync(id, 3, """{"operation_type":"disable","block_id":"h"}""")).Body.GetProperty("ok").GetBoolean());
    }

    private async Task<JsonElement> PatchAsync(params string[] ops) => (await _author.PatchAsync(await _author.CreateAsync(), 1, ops)).Body;

    private static string Disconnect(string source, string target, string? handle = null) => Op.Connect(source, target, handle).Replace("\"connect\"", "\"disconnect\"", StringComparison.Ordinal);

    private static List<JsonElement> Skips(JsonElement reply) => [.. reply.GetProperty("skipped_items").EnumerateArray()];

    private static IEnumerable<string> Codes(JsonElement reply) => Skips(reply).Select(skip => Text(skip, "reason_code")!);

    private static List<JsonElement> Blocks(JsonElement reply) => [.. reply.GetProperty("workflow").GetProperty("blocks").EnumerateArray()];

    private static IEnumerable<string> Connections(JsonElement reply) =>
        reply.GetProperty("workflow").GetProperty("connections").EnumerateArray().Select(connection => $"{Text(connection, "source")}>{Text(connection, "target")}");

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedGraphTests(EmbeddedHost host) : GraphTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterGraphTests(ClusterHost host) : GraphTests(host);
