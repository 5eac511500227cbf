using System.Text;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>Input that nobody means well with: each gets the closed envelope and the right status, none an error of the server.</summary>
internal static class HostileInputScenarios
{
    private const string Section = "Hostile input";
    private const string Noop = "conformance-noop";

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A method that a route does not have is refused with the envelope", Gate.Base, async suite =>
        {
            foreach (var (method, path) in new[] { ("DELETE", "/v1/runs"), ("PUT", "/v1/runs/any/cancel"), ("PATCH", "/.well-known/openwop") })
                (await suite.Host.SendAsync(method, path, null)).Expecting(404, 405);
        }),
        new(Section, "A body of another kind than JSON is refused with the envelope", Gate.Base, async suite =>
        {
            foreach (var mediaType in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x" })
                (await suite.Host.SendRawAsync("POST", "/v1/runs", """{"workflowId":"conformance-noop"}"""u8.ToArray(), mediaType)).Expecting(415, 400);
        }),
        new(Section, "A body that is too large is refused with the envelope", Gate.Base, async suite =>
        {
            var large = Encoding.UTF8.GetBytes($$"""{"workflowId":"{{Noop}}","metadata":{"x":"{{new string('x', 8 * 1024 * 1024)}}" } }""");
            (await suite.Host.SendRawAsync("POST", "/v1/runs", large, "application/json")).Expecting(413, 400);
        }),
        new(Section, "Broken text, deep nesting and repeated members are refused", Gate.Base, async suite =>
        {
            byte[][] bodies =
            [
                [.. "{\"workflowId\":\""u8, 0xC3, 0x28, .. "\"}"u8],
                [0xFF, 0xFE, .. "{}"u8],
                Encoding.UTF8.GetBytes("""{"workflowId":"conformance-noop","inputs":{"x":"\ud800"}}"""),
                Encoding.UTF8.GetBytes($$"""{"workflowId":"{{Noop}}","inputs":{{Nested(5_000)}}}"""),
                Encoding.UTF8.GetBytes("""{"workflowId":"conformance-noop","workflowId":"other"}"""),
                Encoding.UTF8.GetBytes("""{"workflowId":"conformance-noop"} {"workflowId":"conformance-noop"}"""),
                Encoding.UTF8.GetBytes("""{"workflowId":"conformance-noop","inputs":{"x":1e99999}}"""),
            ];
            for (var i = 0; i < bodies.Length; i++)
            {
                var reply = await suite.Host.SendRawAsync("POST", "/v1/runs", bodies[i], "application/json");
                Expect.That(reply.Status is 400 or 413 || (i == 6 && reply.Status == 201), $"body {i}: {reply.Status} {reply.Text}");
            }
        }),
        new(Section, "Odd ids do not exist", Gate.Base, async suite =>
        {
            foreach (var id in new[] { "%2e%2e", "..%2f..%2fetc", "%F0%9F%98%80", new string('r', 3000), "run-%ff", "constructor", "__proto__", "run-0'--" })
                Expect.That((await suite.Host.GetAsync($"/v1/runs/{id}")).Status is 400 or 404 or 414, $"status of the run '{id[..Math.Min(id.Length, 20)]}'");
        }),
        new(Section, "A colon of a route may be escaped, and belongs to no id", Gate.Fixtures("conformance-cancellable").And(Gate.Family("runs.pauseResume.supported")), async suite =>
        {
            var run = await suite.CreateAsync("conformance-cancellable");
            (await suite.Host.PostAsync($"/v1/runs/{run}%3Apause", new { drainPolicy = "immediate" })).Expecting(202);
            await suite.UntilAsync(run, "paused");
            (await suite.Host.PostAsync($"/v1/runs/{run}:elsewhere")).Expecting(404, 405);
            (await suite.Host.GetAsync($"/v1/runs/{run}:pause")).Expecting(404, 405);
            (await suite.Host.PostAsync($"/v1/runs/{run}/cancel")).Expecting(200);
        }),
        new(Section, "Odd cursors of a poll are refused", Gate.Fixtures(Noop), async suite =>
        {
            var run = await suite.CompleteAsync(Noop);
            foreach (var query in new[] { "lastSequence=-1", "lastSequence=x", "lastSequence=1.5", "lastSequence=99999999999999999999", "timeout=x" })
                (await suite.Host.GetAsync($"/v1/runs/{run}/events/poll?{query}")).Expecting(400, "validation_error");
            Expect.Equal(0, (await suite.Host.GetAsync($"/v1/runs/{run}/events/poll?lastSequence=99999&timeout=1")).Expecting(200).Json.GetProperty("events").GetArrayLength(), "events past the end");
        }),
    ];

    private static string Nested(int depth) => string.Concat(Enumerable.Repeat("""{"a":""", depth)) + "1" + new string('}', depth);
}
