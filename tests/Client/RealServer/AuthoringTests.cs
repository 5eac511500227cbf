using System.Net;
using System.Text.Json;
using OpenWop.Micro.Client.Runs;
using OpenWop.Micro.Client.Schedules;

namespace OpenWop.Micro.Client.Tests.RealServer;

/// <summary>Workflows, runs and schedules by the client, at a real server.</summary>
[Collection(WithHost.Name)]
public sealed class AuthoringTests(RunningHost host)
{
    private const string Definition = """
        {"id":"%","name":"%","version":"1.0","nodes":[{"id":"n","typeId":"core.noop","name":"n","position":{"x":0,"y":0},"config":{},"inputs":{},"notes":"Zoë  \u00e9" }],
         "edges":[],"triggers":[],"variables":[],"metadata":{"big":9007199254740993},"settings":{} }
        """;

    private readonly OpenWopClient _client = host.Client;

    [Fact]
    public async Task A_workflow_is_edited_its_versions_are_kept_and_a_change_names_the_version_that_it_was_made_for()
    {
        var id = await host.GreetingAsync();
        var stale = await Assert.ThrowsAsync<OpenWopException>(() => _client.Workflows.PatchAsync(id, 1, JsonElement.Parse("[]")));
        Assert.Equal((HttpStatusCode.PreconditionFailed, "version_mismatch", 2), (stale.Status, stale.Code, stale.Body.GetProperty("current").GetInt32()));

        var removal = JsonElement.Parse("""[{"operation_type":"delete","block_id":"hello"},{"operation_type":"delete","block_id":"none"}]""");
        var tried = await _client.Workflows.PatchAsync(id, 2, removal, dryRun: true);
        Assert.Equal(2, (await _client.Workflows.GetAsync(id)).Version);
        var patched = await _client.Workflows.PatchAsync(id, 2, removal);
        Assert.Equal((false, 3, tried.Summary), (patched.Ok, patched.Version, patched.Summary));
        Assert.Equal("block_not_found", Assert.Single(patched.SkippedItems).GetProperty("reason_code").GetString());

        Assert.Equal([1, 2, 3], await _client.Workflows.VersionsAsync(id).Select(version => version.Version).ToListAsync());
        Assert.Equal(2, (await _client.Workflows.GetVersionAsync(id, 2)).GetProperty("workflow").GetProperty("blocks").GetArrayLength());
        Assert.Equal(4, (await _client.Workflows.RollbackAsync(id, 3, 2)).GetProperty("version").GetInt32());
        Assert.Contains(await _client.Workflows.ListAllAsync().ToListAsync(), workflow => workflow.Id == id && workflow.Version == 4);

        await _client.Workflows.DeleteAsync(id, 4);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<OpenWopException>(() => _client.Workflows.GetAsync(id))).Status);
    }

    [Fact]
    public async Task A_definition_is_kept_as_it_was_sent()
    {
        var text = Definition.Replace("%", "kept", StringComparison.Ordinal);
        var stored = await _client.Workflows.PutDefinitionAsync("kept", System.Text.Encoding.UTF8.GetBytes(text));

        Assert.Equal(("kept", 1), (stored.WorkflowId, stored.Version));
        Assert.Equal(JsonElement.Parse(text).GetRawText(), (await _client.Workflows.GetDefinitionAsync("kept")).GetRawText());
        var refused = await Assert.ThrowsAsync<OpenWopException>(() => _client.Workflows.PutDefinitionAsync("other", "{}"u8.ToArray()));
        Assert.Equal((HttpStatusCode.BadRequest, "validation_error"), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task A_workflow_goes_elsewhere_as_a_file()
    {
        var id = await host.GreetingAsync();
        var file = System.Text.Encoding.UTF8.GetBytes((await _client.Workflows.ExportAsync(id)).GetRawText());
        Assert.Equal(1, (await _client.Workflows.ExportAsync(id, 1)).GetProperty("source").GetProperty("version").GetInt32());

        var copy = await _client.Workflows.ImportAsync(file);
        Assert.Equal((true, 1), (copy.Ok, copy.Version));
        Assert.NotEqual(id, copy.Id);
        var taken = await Assert.ThrowsAsync<OpenWopException>(() => _client.Workflows.ImportAsync(file, copy.Id));
        Assert.Equal(("workflow_exists", 1), (taken.Code, taken.Body.GetProperty("current").GetInt32()));
        Assert.Equal((copy.Id, 2), ((await _client.Workflows.ImportAsync(file, copy.Id, 1)).Id, (await _client.Workflows.GetAsync(copy.Id)).Version));
    }

    [Fact]
    public async Task The_catalogue_is_told()
    {
        Assert.Contains(await _client.Catalogue.ConnectorsAsync(), connector => connector.GetProperty("type").GetString() == "http");
        var full = await _client.Catalogue.ConnectorsAsync(full: true);
        Assert.Equal(full[1].GetRawText(), (await _client.Catalogue.ConnectorAsync("http")).GetRawText());
        Assert.NotEmpty((await _client.Catalogue.ToolsAsync()).GetProperty("tools").EnumerateArray());
        Assert.True(await _client.Server.IsReadyAsync());
        Assert.StartsWith("1.", (await _client.Server.GetCapabilitiesAsync()).GetProperty("protocolVersion").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_followed_to_its_end_from_anywhere()
    {
        var id = await host.GreetingAsync();
        var tag = Guid.NewGuid().ToString("n");
        var wanted = new NewRun { WorkflowId = id, Inputs = JsonElement.Parse("""{"name":"Ada"}"""), Tags = [tag] };
        var run = await _client.Runs.CreateAsync(wanted, idempotencyKey: tag);
        Assert.Equal(run.RunId, (await _client.Runs.CreateAsync(wanted, idempotencyKey: tag)).RunId);

        var all = await _client.Runs.StreamAsync(run.RunId, StreamMode.Debug).ToListAsync();
        var rest = await _client.Runs.StreamAsync(run.RunId, StreamMode.Debug, lastEventId: "1").ToListAsync();
        Assert.Equal(Enumerable.Range(0, all.Count).Select(sequence => (long)sequence), all.Select(runEvent => runEvent.Sequence));
        Assert.Equal(all.Skip(2).Select(runEvent => runEvent.EventId), rest.Select(runEvent => runEvent.EventId));
        Assert.Equal(("run.started", "run.completed"), (all[0].Type, all[^1].Type));

        var ended = await _client.Runs.WaitAsync(run.RunId);
        Assert.True(ended.IsOver);
        Assert.Equal("Hello, Ada!", ended.NodeStates!.Value.GetProperty("hello").GetProperty("outputs").GetProperty("result").GetString());
        var listed = Assert.Single((await _client.Runs.ListAsync(state: "completed", workflowId: id, tag: tag)).Data);
        Assert.Equal((run.RunId, 2, tag), (listed.Id, listed.WorkflowVersion, Assert.Single(listed.Tags!)));
        Assert.Equal(["hello"], await _client.Runs.LogsAsync(run.RunId).Select(row => row.BlockId!).ToListAsync());

        // The inputs do not fit the same key.
        var other = await Assert.ThrowsAsync<OpenWopException>(() => _client.Runs.CreateAsync(wanted with { Inputs = JsonElement.Parse("{}") }, idempotencyKey: tag));
        Assert.Equal(HttpStatusCode.Conflict, other.Status);
    }

    [Fact]
    public async Task A_run_that_failed_says_why_wherever_it_is_read()
    {
        var id = await host.AuthorAsync("""[{"operation_type":"add","block_id":"w","type":"wait_duration","params":{"duration":1,"unit":"parsec"}}]""");
        var run = await _client.Runs.WaitAsync((await _client.Runs.CreateAsync(new NewRun { WorkflowId = id })).RunId);

        Assert.Equal("failed", run.Status);
        Assert.Contains("unit", run.Error!.Message, StringComparison.Ordinal);
        Assert.Contains("unit", Assert.Single((await _client.Runs.ListAsync(workflowId: id)).Data).Error, StringComparison.Ordinal);
        Assert.Contains("unit", (await _client.Runs.LogsAsync(run.RunId).SingleAsync()).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_answers_one_counts_and_a_run_is_paused_forked_and_cancelled()
    {
        var id = await host.ApprovalAsync();
        var run = (await _client.Runs.CreateAsync(new NewRun { WorkflowId = id })).RunId;
        await host.UntilAsync(run, "waiting-approval");
        Assert.Equal("ask", (await _client.Runs.GetAsync(run)).CurrentNodeId);

        await _client.Runs.PauseAsync(run);
        await _client.Runs.ResumeAsync(run);
        await host.UntilAsync(run, "waiting-approval");
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                await _client.Runs.ResolveAsync(run, "ask", JsonElement.Parse("""{"action":"accept"}"""));
                return HttpStatusCode.OK;
            }
            catch (OpenWopException refused)
            {
                return refused.Status;
            }
        }));
        Assert.Single(answers, HttpStatusCode.OK);
        Assert.Equal("completed", (await _client.Runs.WaitAsync(run)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await Assert.ThrowsAsync<OpenWopException>(() => _client.Runs.PauseAsync(run))).Status);

        var replay = await _client.Runs.ForkAsync(run, "replay");
        Assert.Equal("completed", (await _client.Runs.WaitAsync(replay.RunId)).Status);
        var asked = (await _client.Runs.StreamAsync(run, StreamMode.Debug).ToListAsync()).First(runEvent => runEvent.Type == "node.started").Sequence;
        var branch = await _client.Runs.ForkAsync(run, "branch", asked);
        await host.UntilAsync(branch.RunId, "waiting-approval");
        await _client.Runs.CancelAsync(branch.RunId, "enough");
        Assert.Equal("cancelled", (await _client.Runs.WaitAsync(branch.RunId)).Status);
    }

    [Fact]
    public async Task A_schedule_is_made_changed_looked_at_and_fires()
    {
        var id = await host.GreetingAsync();
        var made = await _client.Schedules.CreateAsync(new Schedule
        {
            WorkflowId = id,
            Cron = "0 9 * * 1-5",
            Timezone = "Europe/Berlin",
            Payload = JsonElement.Parse("""{"name":"clock"}"""),
            MisfirePolicy = "fire_once",
        });
        Assert.Equal(3, (await _client.Schedules.PreviewAsync(made.Id!, 3)).Distinct().Count());
        Assert.Equal("invalid_cron", (await Assert.ThrowsAsync<OpenWopException>(() => _client.Schedules.CreateAsync(made with { Id = null, Cron = "61 * * * *" }))).Code);
        Assert.Equal("schedule_exists", (await Assert.ThrowsAsync<OpenWopException>(() => _client.Schedules.CreateAsync(new Schedule { Id = made.Id, WorkflowId = id, Cron = "* * * * *" }))).Code);
        Assert.False((await _client.Schedules.ChangeAsync(made.Id!, JsonElement.Parse("""{"enabled":false}"""))).Enabled);

        var often = await _client.Schedules.CreateAsync(new Schedule { WorkflowId = id, EveryMs = 1000, OverlapPolicy = "skip" });
        await Testing.Eventually.TrueAsync(async () => (await _client.Schedules.FiresAsync(often.Id!)).Data.Any(fire => fire.Status == "fired"));
        var fire = (await _client.Schedules.FiresAsync(often.Id!)).Data.Last(fire => fire.Status == "fired");
        Assert.Equal(id, (await _client.Runs.WaitAsync(fire.RunId!)).WorkflowId);

        var listed = await _client.Schedules.ListAllAsync().ToListAsync();
        Assert.Subset(listed.Select(schedule => schedule.Id!).ToHashSet(), new HashSet<string> { made.Id!, often.Id! });
        foreach (var schedule in new[] { made, often })
            await _client.Schedules.DeleteAsync(schedule.Id!);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<OpenWopException>(() => _client.Schedules.GetAsync(made.Id!))).Status);
    }
}
