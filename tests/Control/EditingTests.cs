using System.Diagnostics;
using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>Lists of operations, as language models send them.</summary>
public abstract class EditingTests(ControlHost host)
{
    private readonly Author _author = host.Author;

    [Fact]
    public async Task A_bad_turn_is_explained_and_a_second_one_repairs_it()
    {
        var id = await _author.CreateAsync();
        var bad = (await _author.PatchAsync(
            id, 1, Op.Trigger, Op.Add("fetch", "http", """{"url":"https://example.org"}"""), Op.Add("mail", "gmail"),
            Op.Transform("t", "\"Hi {{fetch.full_name}}, {{trigger.msg}}\""), Op.Connect("trg", "t"), """{"operation_type":"execute"}""")).Body;

        Assert.False(bad.GetProperty("ok").GetBoolean());
        Assert.Equal(["block_type_not_registered", "malformed_operation"], bad.GetProperty("skipped_items").EnumerateArray().Select(skip => skip.GetProperty("reason_code").GetString()!));
        Assert.Contains("fetch.full_name", Assert.Single(bad.GetProperty("validation_errors").EnumerateArray()).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("Applied 4 of 6 operation(s).", bad.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Contains("1 block_type_not_registered", bad.GetProperty("summary").GetString(), StringComparison.Ordinal);

        // All blocks are looked at, also by operations that change nothing; those make no version.
        var again = (await _author.PatchAsync(id, 2)).Body;
        Assert.Equal((false, 2), (again.GetProperty("ok").GetBoolean(), again.GetProperty("version").GetInt32()));
        Assert.Equal((409, "workflow_invalid"), await RunAsync(id));

        var good = (await _author.PatchAsync(id, 2, """{"operation_type":"edit","block_id":"t","params":{"template":"Hi {{trigger.msg}}"}}""", """{"operation_type":"delete","block_id":"fetch"}""")).Body;
        Assert.Equal((true, 3), (good.GetProperty("ok").GetBoolean(), good.GetProperty("version").GetInt32()));
        Assert.Equal("Hi m", (await _author.OutputsAsync(id, """{"msg":"m"}""")).GetProperty("t").GetProperty("result").GetString());
    }

    [Fact]
    public async Task What_would_become_of_operations_can_be_asked_without_storing_it()
    {
        var id = await _author.CreateAsync();
        var reply = await _author.PostAsync($"/api/workflows/{id}/operations?dry_run=true", $$"""{"ops":[{{Op.Trigger}}]}""", "1");

        Assert.Equal((true, 1), (reply.Body.GetProperty("ok").GetBoolean(), reply.Body.GetProperty("workflow").GetProperty("blocks").GetArrayLength()));
        Assert.Equal(0, (await _author.GetAsync($"/api/workflows/{id}")).Body.GetProperty("workflow").GetProperty("blocks").GetArrayLength());
    }

    [Fact]
    public async Task A_secret_that_was_smuggled_in_is_dropped_and_repeated_nowhere()
    {
        var id = await _author.CreateAsync();
        var reply = await _author.PatchAsync(id, 1, Op.Add("s", "slack", """{"operation":"send","channel":"c","text":"t","accessToken":"xoxb-1","__proto__":{"a":"xoxb-2"}}"""));

        Assert.DoesNotContain("xoxb", reply.Body.GetRawText(), StringComparison.Ordinal);
        Assert.All(reply.Body.GetProperty("validation_errors").EnumerateArray(), error => Assert.Contains("not exposed by block 'slack'", error.GetProperty("error").GetString(), StringComparison.Ordinal));
        Assert.DoesNotContain("xoxb", (await _author.GetAsync($"/v1/workflows/{id}")).Body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_ids_and_deep_values_are_kept_or_refused_but_break_nothing()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"d":""", 50)) + "1" + new string('}', 50);
        var longId = new string('x', 10_240);
        var id = await _author.CreateAsync(Op.Transform("__proto__", deep), Op.Transform(longId, "9007199254740993"), Op.Transform("ünï ☃", "\"\\u0000\""));

        var outputs = await _author.OutputsAsync(id);
        Assert.Equal(deep, outputs.GetProperty("__proto__").GetProperty("result").GetRawText());
        Assert.Equal("9007199254740993", outputs.GetProperty(longId).GetProperty("result").GetRawText());
        Assert.Equal("\0", outputs.GetProperty("ünï ☃").GetProperty("result").GetString());

        var refused = await _author.PatchAsync(id, 2, Op.Transform("trigger", "1"), Op.Transform("env", "1"), Op.Transform("vars", "1"), Op.Transform("", "1"), Op.Transform(" ", "1"), Op.Transform("a.b", "1"), Op.Transform("a{b", "1"));
        Assert.All(refused.Body.GetProperty("skipped_items").EnumerateArray(), skip => Assert.Equal("invalid_block_id", skip.GetProperty("reason_code").GetString()));
        var hostile = "{\"ops\":" + new string('[', 5_000) + new string(']', 5_000) + "}";
        Assert.Equal(400, (await _author.PostAsync($"/api/workflows/{id}/operations", hostile, "2")).Status);
        Assert.Equal(400, (await _author.PostAsync($"/api/workflows/{id}/operations", """{"ops":[{"operation_type":"add","block_id":"\udc00","type":"http"}]}""", "2")).Status);
    }

    [Fact]
    public async Task A_thousand_operations_and_a_quarter_of_a_megabyte_are_nothing_and_forty_are_too_much()
    {
        var id = await _author.CreateAsync();
        var ops = Enumerable.Range(0, 500).Select(i => Op.Transform($"b{i}", i == 0 ? "1" : $"\"{{{{b{i - 1}.result}}}}\"")).Concat(Enumerable.Range(1, 500 - 1).Select(i => Op.Connect($"b{i - 1}", $"b{i}"))).ToArray();
        var clock = Stopwatch.StartNew();
        Assert.True((await _author.PatchAsync(id, 1, ops)).Body.GetProperty("ok").GetBoolean());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"{clock.Elapsed}");

        var slow = await _author.PatchAsync(id, 2, Op.Transform("big", JsonSerializer.Serialize(new string('{', 256 * 1024))));
        Assert.True(slow.Body.GetProperty("ok").GetBoolean());
        var tooLarge = await _author.PostAsync($"/api/workflows/{id}/operations", $$"""{"ops":["{{new string('x', 40 << 20)}}"]}""", "3");
        Assert.Equal((413, "payload_too_large"), (tooLarge.Status, tooLarge.Error));
        Assert.Equal(3, (await _author.GetAsync($"/api/workflows/{id}")).Body.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task The_catalogue_says_what_is_enforced()
    {
        var summary = await _author.GetAsync("/api/connectors");
        var types = summary.Body.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("type").GetString()!).ToList();
        Assert.Equal(["trigger_webhook", "http", "slack", "transform", "wait_duration", "wait_for_event", "human_approval"], types.Take(7));
        Assert.Equal(["type", "name", "description", "category", "kind"], summary.Body.GetProperty("data")[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(304, (await _author.GetAsync("/api/connectors", summary.Headers.ETag!.Tag)).Status);

        var full = (await _author.GetAsync("/api/connectors?detail=full")).Body;
        Assert.DoesNotContain("accessToken", full.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("resumeBaseUrl", full.GetRawText(), StringComparison.Ordinal);
        foreach (var entry in full.GetProperty("data").EnumerateArray())
        {
            var type = entry.GetProperty("type").GetString()!;
            Assert.Equal(entry.GetRawText(), (await _author.GetAsync($"/api/connectors/{type}")).Body.GetRawText());
            var id = await _author.CreateAsync();
            var given = "{" + string.Join(',', entry.GetProperty("subBlocks").EnumerateArray().Select(field => $"\"{field.GetProperty("id").GetString()}\":\"x\"")) + "}";
            Assert.True((await _author.PatchAsync(id, 1, Op.Add("a", type, given))).Body.GetProperty("ok").GetBoolean(), type);
            var required = entry.GetProperty("subBlocks").EnumerateArray().Where(field => field.TryGetProperty("required", out _)).Select(field => field.GetProperty("id").GetString()!);
            var missing = (await _author.PatchAsync(id, 2, Op.Add("b", type))).Body.GetProperty("validation_errors").EnumerateArray().Select(error => error.GetProperty("field").GetString()!);
            Assert.Equal(required, missing);
        }

        Assert.Equal((404, 400), ((await _author.GetAsync("/api/connectors/none")).Status, (await _author.GetAsync("/api/connectors?detail=x")).Status));
        var tools = (await _author.GetAsync("/api/tools")).Body;
        Assert.Contains("add", tools.GetProperty("operations").EnumerateArray().Select(operation => operation.GetProperty("operation_type").GetString()));
        Assert.Equal("edit_workflow", tools.GetProperty("tools")[0].GetProperty("name").GetString());
    }

    private async Task<(int, string)> RunAsync(string id)
    {
        var reply = await _author.PostAsync($"/api/workflows/{id}/run");
        return (reply.Status, reply.Error);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedEditingTests(EmbeddedHost host) : EditingTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterEditingTests(ClusterHost host) : EditingTests(host);
