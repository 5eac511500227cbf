using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.7: replays and branches.</summary>
internal static class ForkScenarios
{
    private const string Section = "7.7 Replay and fork";
    private const string Noop = "conformance-noop";
    private static readonly Gate Forking = Gate.Family("replay.supported").And(Gate.Fixtures(Noop));

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A finished run can be replayed and branched from its start", Forking, async suite =>
        {
            var source = await suite.CompleteAsync(Noop);
            foreach (var mode in suite.Advertised["replay", "modes"].EnumerateArray().Select(name => name.GetString()!))
            {
                var reply = (await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode, fromSeq = 0 })).Expecting(201);
                Expect.That(Suite.RunIdOf(reply) != source, "The fork has the id of its source.");
                Expect.Equal(source, reply.Json.GetProperty("sourceRunId").GetString(), "sourceRunId");
                Expect.Equal(mode, reply.Json.GetProperty("mode").GetString(), "mode");
                await suite.UntilAsync(Suite.RunIdOf(reply), "completed");
            }
        }),
        new(Section, "A fork that makes no sense is refused", Forking, async suite =>
        {
            var source = await suite.CompleteAsync(Noop);
            (await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode = "branch", fromSeq = -1 })).Expecting(400, "validation_error");
            (await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode = "sideways", fromSeq = 0 })).Expecting(400, "validation_error");
            (await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode = "replay", fromSeq = 99_999 })).Expecting(422);
            (await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode = "replay", fromSeq = 0, runOptionsOverlay = new { tags = new[] { "x" } } })).Expecting(400, "validation_error");
            (await suite.Host.PostAsync("/v1/runs/run-that-never-was:fork", new { mode = "replay", fromSeq = 0 })).Expecting(404, "not_found");
        }),
        new(Section, "Two replays of one point are alike", Forking, async suite =>
        {
            var source = await suite.CompleteAsync(Noop);
            var logs = new List<string>();
            for (var i = 0; i < 2; i++)
            {
                var replay = Suite.RunIdOf((await suite.Host.PostAsync($"/v1/runs/{source}:fork", new { mode = "replay" })).Expecting(201));
                await suite.UntilAsync(replay, "completed");
                logs.Add(string.Join(", ", (await suite.EventsAsync(replay)).Select(document =>
                    $"{document.GetProperty("type").GetString()} {(document.TryGetProperty("nodeId", out var node) ? node.GetString() : "")}")));
            }

            Expect.Equal(logs[0], logs[1], "types and nodes of the second replay");
        }),
    ];
}
