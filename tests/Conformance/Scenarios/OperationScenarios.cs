using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.10: what operators see.</summary>
internal static class OperationScenarios
{
    private const string Section = "7.10 Observability";
    private const string Noop = "conformance-noop";
    private static readonly Gate NoBundle = new("no debugBundle", static suite => !suite.Advertised.Has("debugBundle", "supported"));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A debug bundle that is not offered does not exist", NoBundle.And(Gate.Fixtures(Noop)), async suite =>
        {
            var runId = await suite.CompleteAsync(Noop);
            (await suite.Host.GetAsync($"/v1/runs/{runId}/debug-bundle")).Expecting(404);
        }),
        new(Section, "A debug bundle holds the log and says what was redacted", Gate.Family("debugBundle.supported").And(Gate.Fixtures(Noop)), DebugBundleAsync),
        new(Section, "Costs are summed up and nothing else is let through", Gate.Fixtures("openwop-smoke-cost-emit"), async suite =>
        {
            var runId = await suite.CompleteAsync("openwop-smoke-cost-emit");
            var reply = (await suite.Host.GetAsync($"/v1/runs/{runId}")).Expecting(200);
            Expect.That(reply.Json.GetProperty("metrics").GetProperty("openwopCost").GetProperty("usd").GetDouble() >= 0, "metrics.openwopCost.usd");
            var log = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll")).Expecting(200);
            foreach (var illegal in new[] { "openwop.cost.evil", "leaked_token" })
                Expect.That(!(reply.Text + log.Text).Contains(illegal, StringComparison.Ordinal), $"{illegal} was let through");
        }),
        new(Section, "The audit log can be verified", Gate.Family("auth.auditLogIntegrity"), async suite =>
        {
            var result = (await suite.Host.GetAsync("/v1/audit/verify?fromSeq=0&toSeq=100")).Expecting(200).Json;
            WireContract.Validate("audit-verify-result", result, "a verification");
            Expect.That(result.GetProperty("chainValid").GetBoolean() && result.GetProperty("anomalies").GetArrayLength() == 0, result.GetRawText());
        }),
        new(Section, "Signatures of webhooks include version 1", Gate.Family("webhooks.supported"), suite =>
        {
            Expect.That(suite.Advertised.Contains("v1", "webhooks", "signatureAlgorithms"), "webhooks.signatureAlgorithms");
            return Task.CompletedTask;
        }),
    ];

    private static async Task DebugBundleAsync(Suite suite)
    {
        var runId = await suite.CompleteAsync(Noop);
        var bundle = (await suite.Host.GetAsync($"/v1/runs/{runId}/debug-bundle")).Expecting(200).Json;
        WireContract.Validate("debug-bundle", bundle, "a debug bundle");
        Expect.Equal(runId, bundle.GetProperty("run").GetProperty("runId").GetString(), "run.runId");
        Expect.Equal((await suite.EventsAsync(runId)).Count, bundle.GetProperty("events").GetArrayLength(), "number of events");
        Expect.That(bundle.GetProperty("redactionApplied").ValueKind is JsonValueKind.True or JsonValueKind.False, "redactionApplied");
        Expect.Equal(bundle.GetProperty("events").GetArrayLength(), bundle.GetProperty("metrics").GetProperty("eventCount").GetInt32(), "metrics.eventCount");

        var cut = (await suite.Host.GetAsync($"/v1/runs/{runId}/debug-bundle?maxEvents=2")).Expecting(200).Json;
        WireContract.Validate("debug-bundle", cut, "a debug bundle that was cut");
        Expect.That(cut.GetProperty("truncated").GetBoolean() && cut.GetProperty("truncatedReason").GetString() is { Length: > 0 }, "truncated");
        Expect.Sequence([0L, 1L], cut.GetProperty("events").EnumerateArray().Select(document => document.GetProperty("sequence").GetInt64()), "the events that are left");
        Expect.Equal(2, cut.GetProperty("metrics").GetProperty("eventCount").GetInt32(), "metrics.eventCount of what is left");
    }
}
