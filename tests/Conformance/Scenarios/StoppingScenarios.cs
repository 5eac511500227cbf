using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.3: cancelling, pausing and going on.</summary>
internal static class StoppingScenarios
{
    private const string Section = "7.3 Cancel and pause";
    private const string Cancellable = "conformance-cancellable";
    private static readonly Gate Pausing = Gate.Family("runs.pauseResume.supported").And(Gate.Fixtures(Cancellable));
    private static readonly Gate Bulk = new("protocolVersion 1.1", static suite => suite.Advertised["protocolVersion"].GetString() is { } version && Version.Parse(version) >= new Version(1, 1));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A running run can be cancelled", Gate.Fixtures(Cancellable), CancelAsync),
        new(Section, "Cancelling twice is no error", Gate.Fixtures(Cancellable), async suite =>
        {
            var runId = await suite.CreateAsync(Cancellable);
            (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);
            await suite.UntilAsync(runId, "cancelled");
            (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);
            Expect.Equal(1, Suite.OfType(await suite.EventsAsync(runId), "run.cancelled").Count(), "number of run.cancelled");
        }),
        new(Section, "Cancelling a completed run is no error", Gate.Fixtures("conformance-noop"), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-noop");
            (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);
            Expect.Equal("completed", await suite.StatusAsync(runId), "status");
        }),
        new(Section, "An unknown run cannot be cancelled", Gate.Base, async suite => (await suite.Host.PostAsync("/v1/runs/run-that-never-was/cancel")).Expecting(404, "not_found")),
        new(Section, "A paused run rests until it is resumed", Pausing, PauseAsync),
        new(Section, "A run that is not paused cannot be resumed", Pausing, async suite =>
        {
            var runId = await suite.CreateAsync(Cancellable);
            var refused = (await suite.Host.PostAsync($"/v1/runs/{runId}:resume")).Expecting(409);
            Expect.Equal("running", refused.Details.GetProperty("runStatus").GetString(), "details.runStatus");
            (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);
        }),
        new(Section, "A run that is over or unknown cannot be paused", Pausing.And(Gate.Fixtures("conformance-noop")), async suite =>
        {
            var runId = await suite.CompleteAsync("conformance-noop");
            Expect.Equal("completed", (await suite.Host.PostAsync($"/v1/runs/{runId}:pause")).Expecting(409).Details.GetProperty("runStatus").GetString(), "details.runStatus");
            (await suite.Host.PostAsync("/v1/runs/run-that-never-was:pause")).Expecting(404);
            (await suite.Host.PostAsync("/v1/runs/run-that-never-was:resume")).Expecting(404);
        }),
        new(Section, "Bodies of pause and resume are closed", Pausing, async suite =>
        {
            (await suite.Host.SendAsync("POST", "/v1/runs/any:pause", """{"drain":"now"}""")).Expecting(400, "validation_error");
            (await suite.Host.SendAsync("POST", "/v1/runs/any:pause", """{"drainPolicy":"someday"}""")).Expecting(400, "validation_error");
            (await suite.Host.SendAsync("POST", "/v1/runs/any:resume", """{"drainPolicy":"immediate"}""")).Expecting(400, "validation_error");
        }),
        new(Section, "A paused run can be cancelled", Pausing, async suite =>
        {
            var runId = await suite.CreateAsync(Cancellable);
            (await suite.Host.PostAsync($"/v1/runs/{runId}:pause", new { drainPolicy = "immediate" })).Expecting(202);
            await suite.UntilAsync(runId, "paused");
            (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);
            await suite.UntilAsync(runId, "cancelled");
        }),
        new(Section, "Bulk cancel answers in order, duplicates included", Bulk.And(Gate.Fixtures(Cancellable, "conformance-noop")), BulkCancelAsync),
        new(Section, "Bulk cancel refuses what it cannot read, and too much", Bulk, async suite =>
        {
            foreach (var body in new[] { "{}", """{"runIds":[]}""", """{"runIds":"a"}""", """{"runIds":[1]}""", """{"runIds":["a"],"why":"x"}""" })
                (await suite.Host.SendAsync("POST", "/v1/runs:bulk-cancel", body)).Expecting(400, "validation_error");
            var tooMany = (await suite.Host.PostAsync("/v1/runs:bulk-cancel", new { runIds = Enumerable.Repeat("a", 101) })).Expecting(400, "validation_error");
            Expect.That(tooMany.Details.GetProperty("maxRunIds").TryGetInt32(out _), "details.maxRunIds");
        }),
        new(Section, "Bulk cancel needs its scope as a whole", Bulk.And(Gate.LowScopeKey), async suite =>
            (await suite.LowScope!.PostAsync("/v1/runs:bulk-cancel", new { runIds = new[] { "a" } })).Expecting(403, "forbidden")),
    ];

    private static async Task CancelAsync(Suite suite)
    {
        var runId = await suite.CreateAsync(Cancellable, new { delayMs = 30_000 });
        await suite.UntilAsync(runId, "running", TimeSpan.FromSeconds(5));
        var reply = (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel", new { reason = "enough", note = "unknown members are fine here" })).Expecting(200);
        Expect.Equal(runId, Suite.RunIdOf(reply), "runId");
        Expect.OneOf(reply.Json.GetProperty("status").GetString(), "status", "cancelled", "cancelling");
        await suite.UntilAsync(runId, "cancelled", TimeSpan.FromSeconds(5));
        Expect.Equal("run.cancelled", Suite.TypesOf(await suite.EventsAsync(runId)).Last(), "last event");
    }

    private static async Task PauseAsync(Suite suite)
    {
        var runId = await suite.CreateAsync(Cancellable, new { delaySeconds = 30 });
        await suite.UntilAsync(runId, "running");
        var paused = (await suite.Host.PostAsync($"/v1/runs/{runId}:pause", new { reason = "a break", drainPolicy = "drain-current-node" })).Expecting(202);
        Expect.Equal("paused", paused.Json.GetProperty("status").GetString(), "status");
        await suite.UntilAsync(runId, "paused");

        var again = (await suite.Host.PostAsync($"/v1/runs/{runId}:pause")).Expecting(409);
        Expect.Equal("paused", again.Details.GetProperty("runStatus").GetString(), "details.runStatus");
        Expect.That(again.Details.GetProperty("pausedAt").TryGetDateTimeOffset(out _), "details.pausedAt");

        var resumed = (await suite.Host.PostAsync($"/v1/runs/{runId}:resume", new { reason = "on we go" })).Expecting(202);
        Expect.Equal("running", resumed.Json.GetProperty("status").GetString(), "status");
        await suite.UntilAsync(runId, "completed");

        var events = await suite.EventsAsync(runId);
        var types = Suite.TypesOf(events).ToList();
        var (pause, resume) = (types.IndexOf("run.paused"), types.IndexOf("run.resumed"));
        Expect.That(pause > 0 && resume == pause + 1, $"run.resumed does not follow run.paused: {string.Join(", ", types)}");
        Expect.Equal("drain-current-node", events[pause].GetProperty("payload").GetProperty("drainPolicy").GetString(), "drainPolicy");
        Expect.Equal("a break", events[pause].GetProperty("payload").GetProperty("reason").GetString(), "reason");
    }

    private static async Task BulkCancelAsync(Suite suite)
    {
        var running = await suite.CreateAsync(Cancellable);
        var over = await suite.CompleteAsync("conformance-noop");
        string[] asked = [running, "run-that-never-was", over, running];
        var reply = (await suite.Host.PostAsync("/v1/runs:bulk-cancel", new { runIds = asked, reason = "all of them" })).Expecting(200);
        var results = reply.Json.GetProperty("results").EnumerateArray().ToArray();
        Expect.Sequence(asked, results.Select(item => item.GetProperty("runId").GetString()!), "runIds");
        Expect.Sequence([true, false, false, true], results.Select(item => item.GetProperty("ok").GetBoolean()), "ok");
        Expect.OneOf(results[0].GetProperty("status").GetString(), "status", "cancelled", "cancelling");
        Expect.Sequence(["not_found", "run_terminal"], results[1..3].Select(item => item.GetProperty("error").GetProperty("error").GetString()), "errors");
        foreach (var failed in results[1..3])
            WireContract.Validate("error-envelope", failed.GetProperty("error"), "an error of bulk cancel");
        await suite.UntilAsync(running, "cancelled");

        var again = (await suite.Host.PostAsync("/v1/runs:bulk-cancel", new { runIds = new[] { running } })).Expecting(200);
        Expect.Equal("cancelled", again.Json.GetProperty("results")[0].GetProperty("status").GetString(), "status of a cancelled run");
        (await suite.Host.PostAsync("/v1/runs:bulk-cancel", new { runIds = new[] { "run-that-never-was" } })).Expecting(200);
    }
}
