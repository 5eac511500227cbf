using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.5: runs that wait for people.</summary>
internal static class InterruptScenarios
{
    private const string Section = "7.5 Interrupts";
    private const string Approval = "conformance-approval";
    private const string Clarification = "conformance-clarification";
    private const string Quorum = "conformance-interrupt-quorum";
    private static readonly Gate Approving = Gate.Fixtures(Approval);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "An approval completes the run", Approving, ApproveAsync),
        new(Section, "A rejected gate does not complete the run", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            (await ResolveAsync(suite.Host, runId, "gate", new { action = "reject" })).Expecting(200);
            Expect.Equal("failed", Suite.StatusOf(await suite.UntilTerminalAsync(runId)), "status");
        }),
        new(Section, "An action that was not offered is refused, and the run goes on waiting", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            foreach (var value in new object?[] { new { action = "maybe" }, new { action = "refine" }, "accept", null })
                (await ResolveAsync(suite.Host, runId, "gate", value)).Expecting(400, 422);
            (await suite.Host.SendAsync("POST", $"/v1/runs/{runId}/interrupts/gate", "{}")).Expecting(400, "validation_error");
            (await suite.Host.SendAsync("POST", $"/v1/runs/{runId}/interrupts/gate", """{"resumeValue":{"action":"accept"},"force":true}""")).Expecting(400, "validation_error");
            Expect.Equal("waiting-approval", await suite.StatusAsync(runId), "status");
            await CancelAsync(suite, runId);
        }),
        new(Section, "A node or run that does not wait has no interrupt", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            (await ResolveAsync(suite.Host, runId, "no-such-node", new { action = "accept" })).Expecting(404, "interrupt_not_found");
            (await ResolveAsync(suite.Host, "run-that-never-was", "gate", new { action = "accept" })).Expecting(404, "not_found");
            await CancelAsync(suite, runId);
        }),
        new(Section, "A settled interrupt cannot be resolved again", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            (await ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })).Expecting(200);
            (await ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })).Expecting(404, 409);
            Expect.Equal(1, Suite.OfType(await suite.EventsAsync(runId), "interrupt.resolved").Count(), "number of interrupt.resolved");
        }),
        new(Section, "A retry of an answer gets the first answer", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            var body = new { resumeValue = new { action = "accept" } };
            var first = (await suite.Host.PostAsync($"/v1/runs/{runId}/interrupts/gate", body, ("Idempotency-Key", runId))).Expecting(200);
            var second = (await suite.Host.PostAsync($"/v1/runs/{runId}/interrupts/gate", body, ("Idempotency-Key", runId))).Expecting(200);
            Expect.Equal(first.Text, second.Text, "replayed body");
        }),
        new(Section, "Of several answers at once one wins", Approving, RaceOfAnswersAsync),
        new(Section, "Of an answer and a cancel at once the run takes one", Approving, RaceWithCancelAsync),
        new(Section, "An interrupt of a cancelled run is cancelled with it", Approving, async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            await CancelAsync(suite, runId);
            (await ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })).Expecting(422, "interrupt_cancelled");
        }),
        new(Section, "Answering needs its scope", Approving.And(Gate.LowScopeKey), async suite =>
        {
            var runId = await WaitingAsync(suite, Approval, "waiting-approval");
            (await ResolveAsync(suite.LowScope!, runId, "gate", new { action = "accept" })).Expecting(403, "forbidden");
            Expect.That(!(await suite.LowScope!.GetAsync($"/v1/runs/{runId}")).Text.Contains("interruptToken", StringComparison.Ordinal), "A caller who may not answer sees a token that would let it.");
            (await ResolveAsync(suite.Anonymous, runId, "gate", new { action = "accept" })).Expecting(401, "unauthenticated");
            await CancelAsync(suite, runId);
        }),
        new(Section, "Answered questions complete the run", Gate.Fixtures(Clarification), async suite =>
        {
            var runId = await WaitingAsync(suite, Clarification, "waiting-input");
            Expect.Equal("ask", (await suite.SnapshotAsync(runId)).GetProperty("currentNodeId").GetString(), "currentNodeId");
            (await ResolveAsync(suite.Host, runId, "ask", new { answers = new { } })).Expecting(400, 422);
            (await ResolveAsync(suite.Host, runId, "ask", new { answers = new { q1 = "blue" } })).Expecting(200);
            await suite.UntilAsync(runId, "completed");
        }),
        new(Section, "Answers may also come as a list", Gate.Fixtures(Clarification), async suite =>
        {
            var runId = await WaitingAsync(suite, Clarification, "waiting-input");
            (await ResolveAsync(suite.Host, runId, "ask", new { answers = new[] { new { id = "q1", answer = "green" } } })).Expecting(200);
            await suite.UntilAsync(runId, "completed");
        }),
        new(Section, "A quorum completes the run with the last vote it needs", Gate.Fixtures(Quorum), QuorumAsync),
        new(Section, "A majority against it ends a quorum", Gate.Fixtures(Quorum), async suite =>
        {
            var runId = await WaitingAsync(suite, Quorum, "waiting-approval");
            await VoteAsync(suite, runId, "reject", "one");
            Expect.Equal("waiting-approval", await suite.StatusAsync(runId), "status after one vote against it");
            await VoteAsync(suite, runId, "reject", "two");
            Expect.Equal("failed", Suite.StatusOf(await suite.UntilTerminalAsync(runId)), "status");
        }),
        new(Section, "A voter who repeats himself counts once", Gate.Fixtures(Quorum), async suite =>
        {
            var runId = await WaitingAsync(suite, Quorum, "waiting-approval");
            for (var i = 0; i < 3; i++)
                await VoteAsync(suite, runId, "accept", "one");
            Expect.Equal("waiting-approval", await suite.StatusAsync(runId), "status after three votes of one voter");
            await CancelAsync(suite, runId);
        }),
        new(Section, "A gate that asks for a credential accepts one, and no token", Gate.Fixtures("conformance-interrupt-auth-required"), async suite =>
        {
            var runId = await WaitingAsync(suite, "conformance-interrupt-auth-required", "waiting-approval");
            Expect.That(!(await suite.SnapshotAsync(runId)).TryGetProperty("interrupt", out _), "The gate offers a token.");
            (await ResolveAsync(suite.Anonymous, runId, "gate", new { action = "accept" })).Expecting(401, "unauthenticated");
            if (suite.LowScope is { } low)
                (await ResolveAsync(low, runId, "gate", new { action = "accept" })).Expecting(403, "forbidden");
            (await ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })).Expecting(200);
            await suite.UntilAsync(runId, "completed");
        }),
    ];

    /// <summary>Creates a run and waits until it waits.</summary>
    public static async Task<string> WaitingAsync(Suite suite, string workflowId, string status)
    {
        var runId = await suite.CreateAsync(workflowId);
        await suite.UntilAsync(runId, status);
        return runId;
    }

    public static Task<Reply> ResolveAsync(HostClient caller, string runId, string nodeId, object? resumeValue) =>
        caller.PostAsync($"/v1/runs/{runId}/interrupts/{nodeId}", new { resumeValue });

    public static async Task CancelAsync(Suite suite, string runId) => (await suite.Host.PostAsync($"/v1/runs/{runId}/cancel")).Expecting(200);

    private static async Task VoteAsync(Suite suite, string runId, string action, string voter) =>
        (await ResolveAsync(suite.Host, runId, "gate", new { action, voter })).Expecting(200);

    private static async Task ApproveAsync(Suite suite)
    {
        var runId = await WaitingAsync(suite, Approval, "waiting-approval");
        Expect.Equal("gate", (await suite.SnapshotAsync(runId)).GetProperty("currentNodeId").GetString(), "currentNodeId");
        var reply = (await ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })).Expecting(200);
        Expect.Equal(runId, Suite.RunIdOf(reply), "runId");
        Expect.Equal("gate", reply.Json.GetProperty("nodeId").GetString(), "nodeId");
        await suite.UntilAsync(runId, "completed");

        var events = await suite.EventsAsync(runId);
        var types = Suite.TypesOf(events).ToList();
        foreach (var type in new[] { "node.suspended", "interrupt.requested", "approval.received", "interrupt.resolved", "node.resumed" })
            Expect.Equal(1, types.Count(found => found == type), $"number of {type}");
        Expect.That(types.IndexOf("interrupt.requested") < types.IndexOf("interrupt.resolved"), "interrupt.resolved comes first");
        var received = Suite.OfType(events, "approval.received").Single().GetProperty("payload");
        Expect.Equal("accept", received.GetProperty("action").GetString(), "action");
        Expect.That(received.GetProperty("decidedBy").GetString() is { Length: > 0 }, "decidedBy");
        Expect.Equal(
            Suite.OfType(events, "node.suspended").Single().GetProperty("payload").GetProperty("interruptId").GetString(),
            Suite.OfType(events, "interrupt.resolved").Single().GetProperty("payload").GetProperty("interruptId").GetString(),
            "interruptId");
    }

    private static async Task RaceOfAnswersAsync(Suite suite)
    {
        var runId = await WaitingAsync(suite, Approval, "waiting-approval");
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ResolveAsync(suite.Host, runId, "gate", new { action = "accept" })));
        Expect.Equal(1, replies.Count(reply => reply.Status == 200), "number of winners");
        foreach (var loser in replies.Where(reply => reply.Status != 200))
            loser.Expecting(409, "interrupt_already_resolved");
        await suite.UntilAsync(runId, "completed");
    }

    private static async Task RaceWithCancelAsync(Suite suite)
    {
        var runId = await WaitingAsync(suite, Approval, "waiting-approval");
        var cancel = suite.Host.PostAsync($"/v1/runs/{runId}/cancel");
        var resolve = ResolveAsync(suite.Host, runId, "gate", new { action = "accept" });
        var answers = await Task.WhenAll(cancel, resolve);
        answers[0].Expecting(200);
        answers[1].Expecting(200, 409, 422);
        var status = Suite.StatusOf(await suite.UntilTerminalAsync(runId));
        if (answers[1].Status == 200 && status == "cancelled")
        {
            // The cancel came between the answer and the end, which the log has to show.
            Expect.That(Suite.OfType(await suite.EventsAsync(runId), "node.resumed").Any(), "The answer got 200, and the log does not know it.");
            return;
        }

        Expect.Equal(answers[1].Status == 200 ? "completed" : "cancelled", status, $"status after the answer got {answers[1].Status}");
    }

    private static async Task QuorumAsync(Suite suite)
    {
        var runId = await WaitingAsync(suite, Quorum, "waiting-approval");
        foreach (var voter in new[] { "one", "two" })
        {
            await VoteAsync(suite, runId, "accept", voter);
            Expect.Equal("waiting-approval", await suite.StatusAsync(runId), $"status after the vote of {voter}");
        }

        await VoteAsync(suite, runId, "accept", "three");
        await suite.UntilAsync(runId, "completed");
    }
}
