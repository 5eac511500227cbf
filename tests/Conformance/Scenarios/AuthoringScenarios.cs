using System.Diagnostics;
using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>
/// The authoring plane, where the host describes it. Its rules are tested elsewhere; here every operation is called once with success, so that
/// its answer is held against the document.
/// </summary>
internal static class AuthoringScenarios
{
    private const string Section = "Authoring plane";

    private static readonly Gate Edits = Describes("applyOperations");

    private static readonly object[] Operations =
    [
        new { operation_type = "add", block_id = "start", type = "trigger_webhook" },
        new { operation_type = "add", block_id = "approve", type = "human_approval", @params = new { prompt = "May it go on?" } },
        new { operation_type = "connect", block_id = "start", target_block_id = "approve" },
    ];

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "The host is alive, whoever asks", Describes("getHealth"), async suite => (await suite.Anonymous.GetAsync("/health")).Expecting(200)),
        new(Section, "A workflow is made, changed, rolled back and removed", Edits, async suite =>
        {
            var path = "/api/workflows/" + await CreateAsync(suite);
            await ApplyAsync(suite, path, 1);
            (await suite.Host.PostAsync(path + "/operations", new { ops = Operations }, ("If-Match", "1"))).Expecting(412, "version_mismatch");
            (await suite.Host.PostAsync(path + "/operations", new { ops = Operations })).Expecting(428, "precondition_required");
            var read = (await suite.Host.GetAsync(path)).Expecting(200);
            Expect.Equal(2, read.Json.GetProperty("workflow").GetProperty("blocks").GetArrayLength(), "blocks");
            (await suite.Host.GetAsync(path, ("If-None-Match", read.Header("ETag")!))).Expecting(304);
            Expect.Equal(2, (await suite.Host.GetAsync(path + "/versions")).Expecting(200).Json.GetProperty("data").GetArrayLength(), "versions");
            Expect.Equal(0, (await suite.Host.GetAsync(path + "/versions/1")).Expecting(200).Json.GetProperty("workflow").GetProperty("blocks").GetArrayLength(), "blocks of the first version");
            var rolledBack = (await suite.Host.PostAsync(path + "/rollback", new { version = 1 }, ("If-Match", "2"))).Expecting(200).Json;
            Expect.Equal(0, rolledBack.GetProperty("workflow").GetProperty("blocks").GetArrayLength(), "blocks after the rollback");
            (await suite.Host.GetAsync("/api/workflows?limit=1")).Expecting(200);
            (await suite.Host.SendAsync("DELETE", path, null, ("If-Match", "3"))).Expecting(204);
            (await suite.Host.GetAsync(path)).Expecting(404, "not_found");
        }),
        new(Section, "What was exported is imported as it was", Describes("exportWorkflow"), async suite =>
        {
            var path = "/api/workflows/" + await CreateAsync(suite);
            await ApplyAsync(suite, path, 1);
            var file = (await suite.Host.GetAsync(path + "/export")).Expecting(200);
            var imported = (await suite.Host.SendAsync("POST", "/api/workflows/import", file.Text)).Expecting(201).Json;
            var copy = (await suite.Host.GetAsync("/api/workflows/" + imported.GetProperty("id").GetString())).Expecting(200).Json;
            Expect.Equal((await suite.Host.GetAsync(path)).Expecting(200).Json.GetProperty("workflow").GetRawText(), copy.GetProperty("workflow").GetRawText(), "the copy");
        }),
        new(Section, "The types of blocks and the operations are told", Describes("listConnectors"), async suite =>
        {
            var types = (await suite.Host.GetAsync("/api/connectors?detail=full")).Expecting(200).Json.GetProperty("data");
            (await suite.Host.GetAsync("/api/connectors/" + types[0].GetProperty("type").GetString())).Expecting(200);
            (await suite.Host.GetAsync("/api/connectors/none")).Expecting(404);
            (await suite.Host.GetAsync("/api/connectors?detail=all")).Expecting(400, "invalid_body");
            (await suite.Host.GetAsync("/api/tools")).Expecting(200);
        }),
        new(Section, "A run of blocks waits, is answered and completes", Edits, async suite =>
        {
            var path = "/api/workflows/" + await CreateAsync(suite);
            await ApplyAsync(suite, path, 1);
            var runId = Suite.RunIdOf((await suite.Host.PostAsync(path + "/run", new { input = new { order = 42 }, tags = new[] { "try" } })).Expecting(202));
            await UntilAsync(suite, runId, "waiting");
            (await suite.Host.PostAsync($"/api/runs/{runId}/resume", new { blockId = "none", payload = true })).Expecting(404);
            (await suite.Host.PostAsync($"/api/runs/{runId}/resume", new { blockId = "approve", payload = new { approved = true } })).Expecting(202);
            var run = await UntilAsync(suite, runId, "completed");
            Expect.Equal("true", run.GetProperty("output").GetProperty("outputs").GetProperty("approve").GetProperty("approved").GetRawText(), "output of the block");
            Expect.That((await suite.Host.GetAsync($"/api/runs/{runId}/logs")).Expecting(200).Json.GetProperty("data").GetArrayLength() >= 1, "attempts");
            (await suite.Host.GetAsync("/api/runs?state=completed&tag=try&limit=5")).Expecting(200);
            (await suite.Host.PostAsync($"/api/runs/{runId}/cancel")).Expecting(409);
        }),
        new(Section, "A run of blocks is cancelled", Edits, async suite =>
        {
            var path = "/api/workflows/" + await CreateAsync(suite);
            await ApplyAsync(suite, path, 1);
            var runId = Suite.RunIdOf((await suite.Host.PostAsync(path + "/run")).Expecting(202));
            (await suite.Host.PostAsync($"/api/runs/{runId}/cancel")).Expecting(204);
            await UntilAsync(suite, runId, "canceled");
        }),
        new(Section, "A schedule is made, looked at, changed and removed", Describes("createSchedule").And(Gate.Fixtures("conformance-noop")), async suite =>
        {
            var made = (await suite.Host.PostAsync("/api/schedules", new { workflowId = "conformance-noop", cron = "0 9 * * MON-FRI", timezone = "Europe/Berlin" })).Expecting(201).Json;
            var path = "/api/schedules/" + made.GetProperty("id").GetString();
            (await suite.Host.GetAsync(path)).Expecting(200);
            (await suite.Host.GetAsync("/api/schedules?limit=1")).Expecting(200);
            Expect.Equal(3, (await suite.Host.GetAsync(path + "/preview?count=3")).Expecting(200).Json.GetProperty("data").GetArrayLength(), "slots");
            Expect.Equal(0, (await suite.Host.GetAsync(path + "/fires")).Expecting(200).Json.GetProperty("data").GetArrayLength(), "fires");
            Expect.Equal(false, (await suite.Host.SendAsync("PATCH", path, """{"enabled":false}""")).Expecting(200).Json.GetProperty("enabled").GetBoolean(), "enabled");
            (await suite.Host.SendAsync("PATCH", path, """{"cron":"never"}""")).Expecting(400, "invalid_cron");
            (await suite.Host.PostAsync("/api/admin/tick")).Expecting(200);
            (await suite.Host.SendAsync("DELETE", path, null)).Expecting(204);
            (await suite.Host.GetAsync(path)).Expecting(404);
        }),
        new(Section, "Operations of authors take scopes", Edits.And(Gate.LowScopeKey), async suite =>
        {
            (await suite.LowScope!.PostAsync("/api/workflows", new { })).Expecting(403, "forbidden");
            (await suite.LowScope.GetAsync("/api/keys")).Expecting(403, "forbidden");
            (await suite.LowScope.GetAsync("/api/runs?limit=1")).Expecting(200);
            (await suite.Anonymous.GetAsync("/api/runs")).Expecting(401, "unauthorized");
        }),
        new(Section, "Another tenant's workflow does not exist", Edits.And(Gate.OtherTenantKey), async suite =>
        {
            var path = "/api/workflows/" + await CreateAsync(suite);
            (await suite.OtherTenant!.GetAsync(path)).Expecting(404, "not_found");
            (await suite.OtherTenant.SendAsync("DELETE", path, null, ("If-Match", "1"))).Expecting(404, "not_found");
        }),
    ];

    public static Gate Describes(string operationId) => new(operationId, suite => suite.Contract.Describes(operationId));

    private static async Task<string> CreateAsync(Suite suite) =>
        (await suite.Host.PostAsync("/api/workflows", new { metadata = new { name = "Conformance" } })).Expecting(201).Json.GetProperty("id").GetString()!;

    private static async Task ApplyAsync(Suite suite, string path, int version)
    {
        var edited = (await suite.Host.PostAsync(path + "/operations", new { ops = Operations }, ("If-Match", $"{version}"))).Expecting(200).Json;
        Expect.That(edited.GetProperty("ok").GetBoolean(), edited.GetRawText());
    }

    private static async Task<JsonElement> UntilAsync(Suite suite, string runId, string state)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var run = (await suite.Host.GetAsync($"/api/runs/{runId}")).Expecting(200).Json;
            if (run.GetProperty("state").ValueEquals(state))
                return run;

            Expect.InTime(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), $"The run should become {state}: {run.GetRawText()}");
            await Task.Delay(25);
        }
    }
}
