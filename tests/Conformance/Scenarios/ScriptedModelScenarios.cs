using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>6.3: how output is asked for again, with a model whose answers the seams write down.</summary>
internal static class ScriptedModelScenarios
{
    private const string Section = "6.3 Seams";
    private const string Program = "/v1/host/sample/test/mock-ai/program";
    private const string NodeId = "structured-call";

    /// <summary>All fixtures have one node id, which is what programs are for.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    public static IEnumerable<Scenario> All { get; } =
    [
        Scripted("An answer that is no JSON is asked for again", "retry-attempted", "completed", [new { content = "not json" }, new { content = """{"valid":true}""" }], (_, run) =>
        {
            Expect.Equal(2, run.Only("envelope.retry.attempted").GetProperty("attempt").GetInt32(), "attempt");
            return Task.CompletedTask;
        }),
        Scripted("Answers that never fit end in a failure that was announced", "retry-exhausted", "failed", [new { content = "a" }, new { content = "b" }, new { content = "c" }, new { content = "d" }], (_, run) =>
        {
            run.Only("envelope.retry.exhausted");
            var types = Suite.TypesOf(run.Events).ToList();
            Expect.That(types.IndexOf("envelope.retry.exhausted") < types.IndexOf("node.failed"), "The failure comes before its announcement.");
            return Task.CompletedTask;
        }),
        Scripted("A refusal is told once, and not in the error", "refusal", "failed", [new { stopReason = "safety", refusalText = "CANARY refusal" }], (_, run) =>
        {
            Expect.Equal("CANARY refusal", run.Only("envelope.refusal").GetProperty("refusalText").GetString(), "refusalText");
            Expect.Equal("envelope_refusal", run.Snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            Expect.That(!run.Snapshot.GetProperty("error").GetRawText().Contains("CANARY", StringComparison.Ordinal), "The error repeats the refusal.");
            return Task.CompletedTask;
        }),
        Scripted("An answer that was cut off gets more room", "truncated", "completed", [new { stopReason = "max_tokens", content = """{"valid":""" }, new { stopReason = "end_turn", content = """{"valid":true}""" }], async (suite, run) =>
        {
            var truncated = run.Only("envelope.truncated");
            Expect.Equal(("max_tokens", "mock"), (truncated.GetProperty("stopReason").GetString()!, truncated.GetProperty("provider").GetString()!), "stopReason and provider");
            var budget = (await suite.Host.GetAsync($"/v1/host/sample/test/mock-ai/last-dispatch-budget?nodeId={NodeId}")).Expecting(200).Json;
            Expect.That(budget.GetProperty("maxTokens").GetInt32() > 50, $"The second call had no more room: {budget.GetRawText()}");
        }),
        Scripted("Answers that are always cut off end after a bounded number of calls", "truncation-cap-exhaustion", "failed", [.. Enumerable.Repeat<object>(new { stopReason = "max_tokens", content = "{" }, 5)], (_, run) =>
        {
            Expect.Equal("truncation", run.Only("envelope.retry.exhausted").GetProperty("finalReason").GetString(), "finalReason");
            Expect.Equal("schema", run.Only("cap.breached").GetProperty("kind").GetString(), "kind of cap.breached");
            Expect.Equal("envelope_truncation_unrecoverable", run.Snapshot.GetProperty("error").GetProperty("code").GetString(), "error.code");
            Expect.Equal(3, Suite.OfType(run.Events, "provider.usage").Count(), "calls");
            return Task.CompletedTask;
        }),
        Scripted("JSON in a block of code is taken out of it, which is no second call", "recovery-applied", "completed", [new { content = "```json\n{\"result\":\"ok\"}\n```" }], (_, run) =>
        {
            Expect.Equal("markdown-fence", run.Only("envelope.recovery.applied").GetProperty("path").GetString(), "path");
            Expect.That(!Suite.OfType(run.Events, "envelope.retry.attempted").Any(), "It was asked again.");
            return Task.CompletedTask;
        }),
        Scripted("Prose is put into its form by one more call", "nl-to-format-engaged", "completed", [new { content = "Sure: it is fine." }, new { content = "Of course." }, new { content = "Well, ok." }, new { content = """{"result":"coerced-ok"}""" }], (_, run) =>
        {
            Expect.That(run.Only("envelope.nlToFormat.engaged").GetProperty("originalEnvelopeType").GetString() is { Length: > 0 }, "originalEnvelopeType");
            Expect.That(run.Only("node.completed").GetRawText().Contains("coerced-ok", StringComparison.Ordinal), "The outputs lack the answer.");
            return Task.CompletedTask;
        }),
    ];

    private static Scenario Scripted(string name, string fixture, string status, object[] program, Func<Suite, ScriptedRun, Task> check)
    {
        var workflow = "conformance-envelope-" + fixture;
        return new(Section, name, SeamScenarios.Seams.And(Gate.Fixtures(workflow)), async suite =>
        {
            await Turn.WaitAsync();
            try
            {
                (await suite.Host.PostAsync(Program, new { nodeId = NodeId, program })).Expecting(200);
                var runId = await suite.CreateAsync(workflow);
                var snapshot = await suite.UntilAsync(runId, status);
                await check(suite, new ScriptedRun(snapshot, await suite.EventsAsync(runId)));
            }
            finally
            {
                Turn.Release();
            }
        });
    }

    private sealed record ScriptedRun(JsonElement Snapshot, List<JsonElement> Events)
    {
        /// <summary>The payload of the only event of a type.</summary>
        public JsonElement Only(string type)
        {
            var found = Suite.OfType(Events, type).ToList();
            Expect.Equal(1, found.Count, $"number of {type}");
            return found[0].GetProperty("payload");
        }
    }
}
