using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>What each action of an approval does; the workflows are stored by the suite itself.</summary>
internal static class ApprovalActionScenarios
{
    private const string Section = "7.5 Actions of approvals";

    private static readonly Gate StoresWorkflows = new("putWorkflow", static suite => suite.Contract.Describes("putWorkflow"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A question does not answer a gate", StoresWorkflows, async suite =>
        {
            var run = await WaitingAsync(suite);
            (await ResolveAsync(suite, run, new { action = "ask", question = "Why?" })).Expecting(200);
            Expect.Equal("waiting-approval", await suite.StatusAsync(run), "status after a question");
            Expect.That(!Suite.OfType(await suite.EventsAsync(run), "approval.received").Any(), "a question is no approval");
            (await ResolveAsync(suite, run, new { action = "accept" })).Expecting(200);
            await suite.UntilAsync(run, "completed");
        }),
        new(Section, "An edited artifact goes on as the accepted one", StoresWorkflows, async suite =>
        {
            var run = await WaitingAsync(suite);
            (await ResolveAsync(suite, run, new { action = "edit-accept", editedArtifactData = new { text = "better" } })).Expecting(200);
            await suite.UntilAsync(run, "completed");
            var received = Suite.OfType(await suite.EventsAsync(run), "approval.received").Single().GetProperty("payload");
            Expect.That(received.GetProperty("decidedBy").GetString() is { Length: > 0 }, "decidedBy");
        }),
        new(Section, "Old spellings of a decision are understood", StoresWorkflows, async suite =>
        {
            var approved = await WaitingAsync(suite);
            (await ResolveAsync(suite, approved, new { decision = "approved" })).Expecting(200);
            await suite.UntilAsync(approved, "completed");
            var rejected = await WaitingAsync(suite);
            (await ResolveAsync(suite, rejected, new { decision = "rejected" })).Expecting(200);
            await suite.UntilAsync(rejected, "failed");
        }),
        new(Section, "Nobody but the host lets a gate time out", StoresWorkflows, async suite =>
        {
            var run = await WaitingAsync(suite);
            foreach (var value in new object[] { new { action = "timeout" }, new { decision = "timeout" }, new { decision = "cancelled" } })
                (await ResolveAsync(suite, run, value)).Expecting(400, 422);
            Expect.Equal("waiting-approval", await suite.StatusAsync(run), "status");
            (await suite.Host.PostAsync($"/v1/runs/{run}/cancel")).Expecting(200);
        }),
    ];

    private static Task<Reply> ResolveAsync(Suite suite, string run, object value) => suite.Host.PostAsync($"/v1/runs/{run}/interrupts/gate", new { resumeValue = value });

    private static async Task<string> WaitingAsync(Suite suite)
    {
        const string Id = "conformance-suite-approval-actions";
        const string Definition = $$"""
            {"id":"{{Id}}","name":"Actions of an approval","version":"1.0",
             "nodes":[{"id":"gate","typeId":"core.approvalGate","name":"Gate","position":{"x":0,"y":0},"inputs":{},
                       "config":{"title":"A draft","actions":["accept","reject","refine","edit-accept","ask"]} }],
             "edges":[],"triggers":[{"id":"manual","type":"manual","enabled":true}],"variables":[],"metadata":{},"settings":{} }
            """;
        (await suite.Host.SendAsync("PUT", $"/v1/workflows/{Id}", Definition)).Expecting(200, 201);
        var run = await suite.CreateAsync(Id);
        await suite.UntilAsync(run, "waiting-approval");
        return run;
    }
}
