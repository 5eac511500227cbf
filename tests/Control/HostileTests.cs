using System.Diagnostics;
using System.Text.Json;

namespace OpenWop.Micro.Control.Tests;

/// <summary>What is made to be slow, large or odd gets a typed answer, and soon.</summary>
public abstract class HostileTests(ControlHost host)
{
    /// <summary>For one request, on a machine that does other things besides.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly Author _author = host.Author;

    public static TheoryData<string> Lists =>
    [
        "references", "malformed", "unknown types", "hidden params", "edits of large params", "backward connections", "disconnections", "long ids", "long references", "nested braces",
    ];

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task Operations_that_are_made_to_be_slow_are_answered(string name)
    {
        var id = await _author.CreateAsync();
        var version = 1L;
        foreach (var ops in OpsOf(name))
        {
            var clock = Stopwatch.StartNew();
            var reply = await _author.PostAsync($"/api/workflows/{id}/operations", $$"""{"ops":[{{string.Join(',', ops)}}]}""", $"{version}");
            Assert.True(reply.Status is 200 or 400 or 413, $"{name}: {reply.Status}");
            Assert.True(clock.Elapsed < Soon, $"{name}: {clock.Elapsed}");
            if (reply.Status == 200)
                version = reply.Body.GetProperty("version").GetInt64();
        }

        // Whatever it was, the workflow can be read, exported, edited and asked to run.
        Assert.Equal((200, 200), ((await _author.GetAsync($"/api/workflows/{id}")).Status, (await _author.GetAsync($"/api/workflows/{id}/export")).Status));
        Assert.Equal(200, (await _author.PostAsync($"/api/workflows/{id}/operations", """{"ops":[]}""", $"{version}")).Status);
        Assert.True((await _author.PostAsync($"/api/workflows/{id}/run")).Status is 202 or 409);
    }

    [Fact]
    public async Task More_is_wrong_than_an_answer_has_room_for()
    {
        var id = await _author.CreateAsync();
        var text = string.Concat(Enumerable.Repeat("{{none}}", 100_000));
        var reply = (await _author.PatchAsync(id, 1, [Op.Transform("t", $"\"{text}\""), .. Enumerable.Repeat("""{"operation_type":"x"}""", 9_999)])).Body;

        Assert.Equal(1_000, reply.GetProperty("validation_errors").GetArrayLength());
        Assert.Equal(9_999, reply.GetProperty("skipped_items").GetArrayLength() + reply.GetProperty("not_listed").GetProperty("skipped_items").GetInt32());
        Assert.StartsWith("Applied 1 of 10000 operation(s).", reply.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal((400, "invalid_body"), await ErrorAsync(id, $"[{string.Join(',', Enumerable.Repeat("{}", 10_001))}]"));
    }

    [Fact]
    public async Task A_request_can_only_do_so_much_at_once_and_the_rest_is_skipped()
    {
        var id = await _author.CreateAsync();
        string[] edits = [.. Enumerable.Range(0, 1_000).Select(i => $$"""{"operation_type":"edit","block_id":"h","params":{"method":"M{{i}}"} }""")];
        var reply = (await _author.PatchAsync(id, 1, [Op.Add("h", "http", $$"""{"url":"x","body":"{{new string('x', 2 << 20)}}"}"""), .. edits])).Body;

        var skips = reply.GetProperty("skipped_items").EnumerateArray().Select(skip => skip.GetProperty("reason_code").GetString()!).ToList();
        Assert.NotEmpty(skips);
        Assert.All(skips, code => Assert.Equal("limit_exceeded", code));
        Assert.Equal($"M{999 - skips.Count}", reply.GetProperty("workflow").GetProperty("blocks")[0].GetProperty("params").GetProperty("method").GetString());
    }

    [Theory]
    [InlineData("__proto__")]
    [InlineData("constructor")]
    [InlineData("prototype")]
    [InlineData("toString")]
    public async Task Names_that_mean_something_elsewhere_mean_nothing_here(string name)
    {
        var id = await _author.CreateAsync();
        var reply = (await _author.PatchAsync(
            id, 1, Op.Add("h", "http", $$$"""{"url":"x","{{{name}}}":{"isAdmin":true},"headers":{"{{{name}}}":"kept","nested":{"Authorization":"Bearer x"} } }"""),
            Op.Transform(name, $$$"""{"{{{name}}}":{"polluted":1}}"""), Op.Transform("t", "\"[{{vars." + name + "}}] [{{trigger." + name + "}}]\""))).Body;

        var error = Assert.Single(reply.GetProperty("validation_errors").EnumerateArray());
        Assert.Equal((name, "field_not_exposed"), (error.GetProperty("field").GetString(), error.GetProperty("code").GetString()));
        var blocks = reply.GetProperty("workflow").GetProperty("blocks");
        Assert.False(blocks[0].GetProperty("params").TryGetProperty(name, out _));
        Assert.Equal("kept", blocks[0].GetProperty("params").GetProperty("headers").GetProperty(name).GetString());
        Assert.Equal(name, blocks[1].GetProperty("id").GetString());
        await _author.PatchAsync(id, 2, """{"operation_type":"delete","block_id":"h"}""");
        var outputs = await _author.OutputsAsync(id);
        Assert.Equal("[] []", outputs.GetProperty("t").GetProperty("result").GetString());
        Assert.Equal(1, outputs.GetProperty(name).GetProperty("result").GetProperty(name).GetProperty("polluted").GetInt32());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    public async Task A_body_that_is_too_large_is_refused_with_a_reason(int megabytes)
    {
        var id = await _author.CreateAsync();
        using var nobody = host.As(null);
        foreach (var path in new[] { "/api/workflows", $"/api/workflows/{id}/operations", $"/api/workflows/{id}/run", "/api/workflows/import", "/v1/runs" })
        {
            var clock = Stopwatch.StartNew();
            var reply = await _author.PostAsync(path, $$"""{"x":"{{new string('x', megabytes << 20)}}"}""", path.EndsWith("operations", StringComparison.Ordinal) ? "1" : null);
            Assert.Equal((413, "payload_too_large"), (reply.Status, reply.Error));
            Assert.True(clock.Elapsed < Soon, $"{path}: {clock.Elapsed}");
            Assert.Equal(401, (await nobody.PostAsync(path, new string('x', megabytes << 20))).Status);
        }
    }

    [Theory]
    [InlineData("""{"ops":{}}""")]
    [InlineData("""{"ops":null}""")]
    [InlineData("""{"ops":"add"}""")]
    [InlineData("""[]""")]
    [InlineData("""{"ops":[]""")]
    [InlineData("""{"ops":[],"ops":[]}""")]
    [InlineData("\u0000")]
    [InlineData("""{"ops":["\ud800"]}""")]
    [InlineData("""{"ops":[{"operation_type":"add","block_id":"a","type":"transform","params":{"template":"\u0000\udfff"}}]}""")]
    public async Task A_body_that_makes_no_sense_is_refused(string body)
    {
        var id = await _author.CreateAsync();
        var reply = await _author.PostAsync($"/api/workflows/{id}/operations", body, "1");
        Assert.Equal((400, "invalid_body"), (reply.Status, reply.Error));
    }

    [Fact]
    public async Task Operations_with_members_of_the_wrong_kind_are_skipped_one_by_one()
    {
        var id = await _author.CreateAsync(Op.Transform("a", "1"), Op.Transform("b", "1"));
        string[] odd =
        [
            "1", "null", "[]", "\"add\"", "{}", """{"operation_type":null}""", """{"operation_type":"update","block_id":"a"}""", """{"operation_type":"remove","block_id":"a"}""",
            """{"operation_type":"add","block_id":7,"type":"http"}""", """{"operation_type":"add","block_id":"x"}""", """{"operation_type":"add","block_id":"x","type":"http","params":null}""",
            """{"operation_type":"edit","block_id":"a","params":[]}""", """{"operation_type":"edit","block_id":"a","name":1}""", """{"operation_type":"connect","block_id":"a"}""",
            """{"operation_type":"connect","block_id":"a","target_block_id":"b","source_handle":{}}""", """{"operation_type":"set_position","block_id":"a","position":{"x":"1","y":2}}""",
            """{"operation_type":"set_position","block_id":"a","position":{"x":1e999,"y":2}}""", """{"operation_type":"set_variables","variables":[]}""", """{"operation_type":"set_metadata","metadata":{"name":1}}""",
            """{"operation_type":"remove_param","block_id":"a"}""", """{"operation_type":"rename","block_id":"a"}""",
        ];
        var reply = (await _author.PatchAsync(id, 2, [.. odd, Op.Connect("a", "b")])).Body;

        Assert.Equal(odd.Length, reply.GetProperty("skipped_items").GetArrayLength());
        Assert.All(reply.GetProperty("skipped_items").EnumerateArray(), skip => Assert.Equal("malformed_operation", skip.GetProperty("reason_code").GetString()));
        Assert.Single(reply.GetProperty("workflow").GetProperty("connections").EnumerateArray());
    }

    private static IEnumerable<IEnumerable<string>> OpsOf(string name) => name switch
    {
        "references" => [[Op.Transform("t", $"\"{string.Concat(Enumerable.Repeat("{{a.b}}", 400_000))}\"")]],
        "malformed" => [Enumerable.Repeat("""{"operation_type":"x"}""", 10_000)],
        "unknown types" => [Enumerable.Range(0, 10_000).Select(i => Op.Add($"{i}{new string('i', 200)}", "nothing"))],
        "hidden params" => [[Op.Add("s", "slack", "{" + string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"p{i}\":1")) + "}")]],
        "edits of large params" =>
        [
            [Op.Add("h", "http", $$"""{"url":"x","body":"{{new string('x', 2 << 20)}}"}""")], Enumerable.Repeat("""{"operation_type":"edit","block_id":"h","params":{"method":"GET"}}""", 10_000),
        ],
        "backward connections" =>
        [
            Enumerable.Range(0, 2_000).Select(i => Op.Transform($"b{i}", "1")),
            Enumerable.Range(0, 1_999).Select(i => Op.Connect($"b{1_998 - i}", $"b{1_999 - i}")),
            Enumerable.Range(0, 7_900).Select(i => Op.Connect($"b{1_990 - (i / 5)}", $"b{1_992 - (i / 5) + (i % 5)}")),
        ],
        "disconnections" =>
        [
            Enumerable.Range(0, 200).Select(i => Op.Transform($"b{i}", "1")),
            Enumerable.Range(0, 10_000).Select(i => Op.Connect($"b{i / 100}", $"b{100 + (i % 100)}")),
            Enumerable.Range(0, 10_000).Select(i => $$"""{"operation_type":"disconnect","block_id":"b{{99 - (i / 100)}}","target_block_id":"b{{199 - (i % 100)}}"}"""),
        ],
        "long ids" => [Enumerable.Range(0, 200).Select(i => Op.Transform($"{i}{new string('i', 16_000)}", "\"{{none}}\"")), Enumerable.Range(0, 200).Select(i => Op.Connect($"{i}{new string('i', 16_000)}", "none"))],
        "long references" => [[Op.Transform("t", $"\"{{{{{string.Join('.', Enumerable.Repeat("a", 500_000))}}}}} {{{{{new string('b', 500_000)}}}}}\"")]],
        _ => [[Op.Transform("t", JsonSerializer.Serialize(string.Concat(Enumerable.Repeat("{{{}{", 500_000))))]],
    };

    private async Task<(int, string)> ErrorAsync(string id, string ops)
    {
        var reply = await _author.PostAsync($"/api/workflows/{id}/operations", $$"""{"ops":{{ops}}}""", "2");
        return (reply.Status, reply.Error);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class EmbeddedHostileTests(EmbeddedHost host) : HostileTests(host);

[Collection(OnCluster.Name)]
public sealed class ClusterHostileTests(ClusterHost host) : HostileTests(host);
