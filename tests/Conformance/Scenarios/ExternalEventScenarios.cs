using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.5: runs that wait for other systems, and the signed tokens that let those answer.</summary>
internal static class ExternalEventScenarios
{
    private const string Section = "7.5 Interrupts";
    private const string Workflow = "conformance-interrupt-external-event";
    private static readonly Gate Fixture = Gate.Fixtures(Workflow);
    private static readonly object Matching = new { orderId = "fixture-order-1", status = "completed", amount = 12 };

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A matching event completes the run", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            (await PostAsync(suite, token, Matching)).Expecting(200);
            await suite.UntilAsync(runId, "completed");
        }),
        new(Section, "An event of another correlation is refused, and the run goes on waiting", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            (await PostAsync(suite, token, new { orderId = "another-order", status = "completed" })).Expecting(422, 400);
            (await PostAsync(suite, token, new { orderId = "fixture-order-1" })).Expecting(422, 400);
            Expect.Equal("waiting-external", await suite.StatusAsync(runId), "status");
            (await PostAsync(suite, token, new { eventPayload = Matching })).Expecting(200);
            await suite.UntilAsync(runId, "completed");
        }),
        new(Section, "Looking at an interrupt does not use its token up", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            for (var i = 0; i < 2; i++)
            {
                var payload = (await suite.Anonymous.GetAsync($"/v1/interrupts/{token}")).Expecting(200).Json;
                Expect.Equal("external-event", payload.GetProperty("kind").GetString(), "kind");
            }

            Expect.Equal("waiting-external", await suite.StatusAsync(runId), "status");
            await InterruptScenarios.CancelAsync(suite, runId);
        }),
        new(Section, "A token works once", Fixture, async suite =>
        {
            var (_, token) = await WaitingAsync(suite);
            (await PostAsync(suite, token, Matching)).Expecting(200);
            (await PostAsync(suite, token, Matching)).Expecting(409, "interrupt_already_resolved");
        }),
        new(Section, "A token of a cancelled run does not work", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            await InterruptScenarios.CancelAsync(suite, runId);
            (await PostAsync(suite, token, Matching)).Expecting(404, 409, 410);
        }),
        new(Section, "An unknown token is not found, whatever the body", Gate.Base, async suite =>
        {
            foreach (var token in new[] { "tok_nobody-knows", "not.a.token", "eyJydW5JZCI6InJ1bi14In0.AAAA", new string('x', 3000) })
            {
                (await suite.Anonymous.GetAsync($"/v1/interrupts/{token}")).Expecting(404, "interrupt_not_found");
                foreach (var body in new[] { "{}", "{", """{"resumeValue":1}""" })
                    (await suite.Anonymous.SendAsync("POST", $"/v1/interrupts/{token}", body)).Expecting(404, "interrupt_not_found");
            }
        }),
        new(Section, "A known token needs a resume value, which may be null", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            (await suite.Anonymous.SendAsync("POST", $"/v1/interrupts/{token}", "{}")).Expecting(400, "validation_error");
            (await suite.Anonymous.SendAsync("POST", $"/v1/interrupts/{token}", """{"resumeValue":null,"more":1}""")).Expecting(400, "validation_error");
            (await suite.Anonymous.SendAsync("POST", $"/v1/interrupts/{token}", """{"resumeValue":null}""")).Expecting(422, 400);
            Expect.Equal("waiting-external", await suite.StatusAsync(runId), "status");
            await InterruptScenarios.CancelAsync(suite, runId);
        }),
        new(Section, "A token that was tampered with is unknown", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            var at = token.IndexOf('.', StringComparison.Ordinal) + 5;
            var tampered = $"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}";
            (await PostAsync(suite, tampered, Matching)).Expecting(404, "interrupt_not_found");
            Expect.Equal("waiting-external", await suite.StatusAsync(runId), "status");
            await InterruptScenarios.CancelAsync(suite, runId);
        }),
        new(Section, "Of several events at once one wins", Fixture, async suite =>
        {
            var (runId, token) = await WaitingAsync(suite);
            var replies = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => PostAsync(suite, token, Matching)));
            Expect.Equal(1, replies.Count(reply => reply.Status == 200), "number of winners");
            await suite.UntilAsync(runId, "completed");
        }),
    ];

    private static async Task<(string RunId, string Token)> WaitingAsync(Suite suite)
    {
        var runId = await InterruptScenarios.WaitingAsync(suite, Workflow, "waiting-external");
        var snapshot = await suite.SnapshotAsync(runId);
        Expect.Equal("wait-for-external", snapshot.GetProperty("currentNodeId").GetString(), "currentNodeId");
        var token = snapshot.GetProperty("interrupt").GetProperty("interruptToken").GetString();
        Expect.That(token is { Length: > 20 }, "The snapshot has no token.");
        return (runId, token);
    }

    private static Task<Reply> PostAsync(Suite suite, string token, object resumeValue) =>
        suite.Anonymous.PostAsync($"/v1/interrupts/{token}", new { resumeValue });
}
