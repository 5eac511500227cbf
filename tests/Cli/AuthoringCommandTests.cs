namespace OpenWop.Micro.Cli.Tests;

/// <summary>Workflows that are made of blocks by the tool, and their runs.</summary>
[Collection(WithServer.Name)]
public sealed class AuthoringCommandTests(RunningServer server)
{
    private const string Greeting = """
        [{"operation_type":"add","block_id":"start","type":"trigger_webhook"},
         {"operation_type":"add","block_id":"hello","type":"transform","params":{"template":"Hello, {{trigger.name}}!"}},
         {"operation_type":"connect","block_id":"start","target_block_id":"hello"}]
        """;

    private readonly Tool _tool = server.Tool;

    [Fact]
    public async Task A_workflow_is_made_patched_run_and_read()
    {
        var id = await NewAsync("Greeting");
        var patched = (await PatchAsync(id, Greeting)).Expecting(0);
        Assert.Matches("(?s)version +2\n.*runnable +yes\n.*Applied all 3 operation", patched.Output);

        var read = (await _tool.RunAsync("workflows", "get", id)).Expecting(0).Json;
        Assert.Equal((2, 2), (read.GetProperty("version").GetInt32(), read.GetProperty("workflow").GetProperty("blocks").GetArrayLength()));
        Assert.Matches($"{id} +Greeting +2", (await _tool.RunAsync("workflows", "list")).Expecting(0).Output);

        var watched = (await _tool.RunAsync("run", id, "-i", "name=Ada", "--tag", "cli", "--watch")).Expecting(0);
        Assert.Contains("node.completed       hello            {\"result\":\"Hello, Ada!\"}", watched.Error, StringComparison.Ordinal);

        var runs = (await _tool.RunAsync("runs", "list", "--workflow", id, "--tag", "cli", "--state", "completed", "--json")).Expecting(0).Json;
        var run = Assert.Single(runs.EnumerateArray()).GetProperty("id").GetString()!;
        Assert.Contains("block.hello.run", (await _tool.RunAsync("runs", "logs", run)).Expecting(0).Output, StringComparison.Ordinal);
        var row = (await _tool.RunAsync("runs", "logs", run, "--json")).Expecting(0).Json.EnumerateArray().Single(entry => entry.GetProperty("blockId").GetString() == "hello");
        Assert.Equal("completed", row.GetProperty("status").GetString());
        Assert.Matches(@"(?s)status +completed.*NODE +STATUS.*hello +completed", (await _tool.RunAsync("runs", "get", run)).Expecting(0).Output);
    }

    [Fact]
    public async Task The_types_of_blocks_are_told()
    {
        Assert.Contains("human_approval", (await _tool.RunAsync("connectors")).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Equal("http", (await _tool.RunAsync("connectors", "http")).Expecting(0).Json.GetProperty("type").GetString());
        (await _tool.RunAsync("connectors", "teleport")).Expecting(4);
    }

    [Fact]
    public async Task A_patch_that_leaves_out_something_ends_with_1_and_says_what()
    {
        var id = await NewAsync();

        var patched = (await PatchAsync(id, """{"ops":[{"operation_type":"add","block_id":"t","type":"teleport"}]}""")).Expecting(1);

        Assert.Contains("block_type_not_registered", patched.Output, StringComparison.Ordinal);
        (await PatchAsync(id, "[", "--json")).Expecting(2);
        (await PatchAsync(id, """{"operations":[]}""")).Expecting(1);
        (await PatchAsync(id, Greeting, "--if-version", "7")).Expecting(5);
        (await PatchAsync("wf-none", Greeting)).Expecting(4);
        (await _tool.RunAsync("workflows", "patch", id, "-f", "nothing.json")).Expecting(2);
    }

    [Fact]
    public async Task Versions_are_listed_read_and_brought_back()
    {
        var id = await NewAsync();
        (await PatchAsync(id, Greeting)).Expecting(0);
        (await PatchAsync(id, """[{"operation_type":"delete","block_id":"hello"}]""")).Expecting(0);

        var versions = (await _tool.RunAsync("workflows", "versions", id, "--json")).Expecting(0).Json.EnumerateArray().ToList();
        Assert.Equal([1, 2, 3], versions.Select(version => version.GetProperty("version").GetInt32()));
        Assert.All(versions, version => Assert.True(version.GetProperty("createdAt").GetDateTimeOffset() > DateTimeOffset.UnixEpoch));
        Assert.Equal(2, (await _tool.RunAsync("workflows", "get", id, "-n", "2")).Expecting(0).Json.GetProperty("workflow").GetProperty("blocks").GetArrayLength());

        Assert.Matches("version +4", (await _tool.RunAsync("workflows", "rollback", id, "2")).Expecting(0).Output);
        (await _tool.RunAsync("workflows", "rollback", id, "9")).Expecting(4);
        (await _tool.RunAsync("workflows", "rollback", id, "1", "--if-version", "3")).Expecting(5);
        (await _tool.RunAsync("workflows", "delete", id, "--if-version", "3")).Expecting(5);
        (await _tool.RunAsync("workflows", "delete", id)).Expecting(0);
        (await _tool.RunAsync("workflows", "get", id)).Expecting(4);
    }

    [Fact]
    public async Task A_workflow_is_exported_into_a_file_and_imported_again()
    {
        var id = await NewAsync("Carried");
        (await PatchAsync(id, Greeting)).Expecting(0);
        (await _tool.RunAsync("workflows", "export", id, "-o", "carried.json")).Expecting(0);
        Assert.Equal("openwop.workflow", (await _tool.RunAsync("workflows", "export", id, "-n", "1")).Expecting(0).Json.GetProperty("format").GetString());

        var copy = (await _tool.RunAsync("workflows", "import", "-f", "carried.json", "--id", "carried-copy", "--json")).Expecting(0).Json;
        Assert.Equal(("carried-copy", 1), (copy.GetProperty("id").GetString(), copy.GetProperty("version").GetInt32()));
        Assert.Contains("Hello, Ada!", (await _tool.RunAsync("run", "carried-copy", "-i", "name=Ada", "--watch")).Expecting(0).Error, StringComparison.Ordinal);

        (await _tool.RunAsync("workflows", "import", "-f", "carried.json", "--id", "carried-copy")).Expecting(5);
        Assert.Matches("version +2", (await _tool.RunAsync("workflows", "import", "-f", "carried.json", "--id", "carried-copy", "--if-version", "1")).Expecting(0).Output);
        (await _tool.RunWithInputAsync("{}", "workflows", "import", "-f", "-")).Expecting(1);
        (await _tool.RunAsync("workflows", "export", "wf-none")).Expecting(4);
    }

    [Fact]
    public async Task Runs_that_failed_are_listed_with_the_others()
    {
        var id = await NewAsync();
        (await PatchAsync(id, """[{"operation_type":"add","block_id":"w","type":"wait_duration","params":{"duration":1,"unit":"parsec"}}]""")).Expecting(0);
        Assert.Contains("unit", (await _tool.RunAsync("run", id, "--watch")).Expecting(7).Output, StringComparison.Ordinal);

        var run = Assert.Single((await _tool.RunAsync("runs", "list", "--workflow", id, "--json")).Expecting(0).Json.EnumerateArray());
        Assert.Equal("failed", run.GetProperty("state").GetString());
        Assert.Contains("unit", run.GetProperty("error").GetString(), StringComparison.Ordinal);
        var runId = run.GetProperty("id").GetString()!;
        Assert.Contains("unit", (await _tool.RunAsync("runs", "logs", runId)).Expecting(0).Output, StringComparison.Ordinal);
        Assert.Contains("unit", (await _tool.RunAsync("runs", "get", runId)).Expecting(0).Output, StringComparison.Ordinal);
        (await _tool.RunAsync("runs", "cancel", runId)).Expecting(0);
    }

    [Fact]
    public async Task Runs_wait_for_answers_are_paused_forked_and_go_on()
    {
        var id = await NewAsync();
        (await PatchAsync(id, """
            [{"operation_type":"add","block_id":"ask","type":"human_approval","params":{"prompt":"Ship?"}},
             {"operation_type":"add","block_id":"then","type":"transform","params":{"template":"{{ask.approved}} {{ask.note}}"}},
             {"operation_type":"connect","block_id":"ask","target_block_id":"then"}]
            """)).Expecting(0);
        var run = (await _tool.RunAsync("run", id)).Expecting(0).Output.Trim();
        await UntilAsync(run, "waiting-approval");

        (await _tool.RunAsync("runs", "pause", run)).Expecting(0);
        (await _tool.RunAsync("runs", "resume", run)).Expecting(0);
        await UntilAsync(run, "waiting-approval");
        (await _tool.RunAsync("runs", "resolve", run, "--value", """{"action":"accept","note":"fine"}""")).Expecting(0);
        (await _tool.RunAsync("runs", "watch", run)).Expecting(0);

        var events = (await _tool.RunAsync("runs", "watch", run, "--json")).Expecting(0).Lines;
        var asked = events.First(line => line.TryGetProperty("type", out var type) && type.GetString() == "node.suspended").GetProperty("sequence").GetInt64();
        Assert.Equal("true fine", events[^1].GetProperty("nodeStates").GetProperty("then").GetProperty("outputs").GetProperty("result").GetString());

        var branch = (await _tool.RunAsync("runs", "fork", run, "--from", $"{asked}")).Expecting(0).Output.Trim();
        await UntilAsync(branch, "waiting-approval");
        (await _tool.RunAsync("runs", "resolve", branch, "--reject")).Expecting(0);
        (await _tool.RunAsync("runs", "watch", branch)).Expecting(0);
        (await _tool.RunAsync("runs", "fork", "run-none")).Expecting(4);
    }

    private async Task<string> NewAsync(string? name = null) =>
        (await _tool.RunAsync(name is null ? ["workflows", "new"] : ["workflows", "new", "--name", name])).Expecting(0).Output.Trim();

    private Task<Outcome> PatchAsync(string id, string operations, params string[] more) => _tool.RunWithInputAsync(operations, ["workflows", "patch", id, "-f", "-", .. more]);

    private Task UntilAsync(string run, string status) => Testing.Eventually.TrueAsync(
        async () => (await _tool.RunAsync("runs", "get", run, "--json")).Json.GetProperty("status").GetString() == status, $"run is {status}");
}
