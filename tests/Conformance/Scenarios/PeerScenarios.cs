using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.13: workflows that give tasks to an A2A agent. How its tasks go is asked for by <c>driftScenario</c>, which stand-ins understand.</summary>
internal static class PeerScenarios
{
    private const string Section = "7.13 A2A";
    private const string Fixture = "conformance-a2a-task-roundtrip";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly Gate Plain = Gate.Fixtures(Fixture);
    private static readonly Gate Observed = Plain.And(Gate.StandIns);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A task is followed to its end, and its words are a stranger's", Plain, async suite =>
        {
            var snapshot = await suite.UntilAsync(await suite.CreateAsync(Fixture), "completed", Patience);
            var outputs = snapshot.GetProperty("nodeStates").GetProperty("a2a-invoke").GetProperty("outputs");
            Expect.That(outputs.GetProperty("text").GetString()!.StartsWith("<UNTRUSTED agent=", StringComparison.Ordinal), outputs.GetRawText());
        }),
        new(Section, "A task that takes a while is given once", Observed, async suite =>
        {
            var given = await RunAsync(suite, "working,working,completed", "completed");
            Expect.Equal(1, SentCount(suite, given.TaskId), "messages of the task");
        }),
        new(Section, "A task that needs a credential waits for input", Observed, async suite =>
        {
            var (runId, _) = await RunAsync(suite, "auth-required", "waiting-input");
            var asked = Suite.OfType(await suite.EventsAsync(runId), "interrupt.requested").Single().GetRawText();
            Expect.That(JsonElement.Parse(asked).GetProperty("payload").GetProperty("data").GetProperty("payload").GetProperty("metadata").GetProperty("subkind").ValueEquals("auth"), asked);
            (await InterruptScenarios.ResolveAsync(suite.Host, runId, "a2a-invoke", "granted")).Expecting(200);
            await suite.UntilAsync(runId, "completed", Patience);
        }),
        new(Section, "A task that needs input waits for it and gets it", Observed, async suite =>
        {
            var (runId, _) = await RunAsync(suite, "input-required", "waiting-input");
            var answer = Guid.NewGuid().ToString("n");
            (await InterruptScenarios.ResolveAsync(suite.Host, runId, "a2a-invoke", answer)).Expecting(200);
            await suite.UntilAsync(runId, "completed", Patience);
            Expect.Equal(1, suite.StandIns!.Agent.Sent.Count(sent => sent.ToJsonString().Contains(answer, StringComparison.Ordinal)), "answers that arrived");
        }),
        new(Section, "A task that the peer rejects fails the run", Observed, async suite =>
        {
            var snapshot = await suite.UntilAsync(await suite.CreateAsync(Fixture, new { driftScenario = "rejected" }), "failed", Patience);
            Expect.That(snapshot.GetRawText().Contains("rejected", StringComparison.Ordinal), "Nothing says that the peer has rejected the task.");
        }),
        new(Section, "A task that the peer cancels cancels the run", Observed, async suite =>
            await suite.UntilAsync(await suite.CreateAsync(Fixture, new { driftScenario = "canceled" }), "cancelled", Patience)),
    ];

    /// <summary>Runs the fixture until its run has a status; the id of the task is empty while the node has not completed.</summary>
    private static async Task<(string RunId, string TaskId)> RunAsync(Suite suite, string scenario, string status)
    {
        var runId = await suite.CreateAsync(Fixture, new { driftScenario = scenario });
        var node = (await suite.UntilAsync(runId, status, Patience)).GetProperty("nodeStates").GetProperty("a2a-invoke");
        return (runId, node.TryGetProperty("outputs", out var outputs) && outputs.TryGetProperty("taskId", out var id) ? id.GetString()! : "");
    }

    private static int SentCount(Suite suite, string taskId) =>
        suite.StandIns!.Agent.Sent.Select(sent => (string)sent["message"]!["messageId"]!).Count(messageId => taskId == "task-" + messageId);
}
