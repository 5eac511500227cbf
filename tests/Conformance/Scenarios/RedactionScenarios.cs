using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>7.9: what must not come back. The canaries look like secrets and are none.</summary>
internal static class RedactionScenarios
{
    private const string Section = "7.9 Secrets and redaction";
    private const string Noop = "conformance-noop";

    private static readonly string[] Canaries =
    [
        "sk-CANARY-openwop-never-secret-0001",
        "sk-ant-CANARY-openwop-never-secret-0002",
        "AIzaCANARYopenwopneversecret0003",
        "eyJhbGciOiJub25lIn0.Q0FOQVJZLW9wZW53b3A.bmV2ZXItc2VjcmV0",
    ];

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "Inputs that nobody declared do not appear in the log", Gate.Fixtures(Noop), async suite =>
        {
            var inputs = Canaries.Select((canary, index) => (Name: $"text{index}", Value: $"please keep {canary} to yourself")).ToDictionary(pair => pair.Name, pair => pair.Value);
            var runId = await suite.CompleteAsync(Noop, inputs);
            ExpectSilence((await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll")).Expecting(200), "the log");
        }),
        new(Section, "A refused request is not repeated in the answer", Gate.Base, async suite =>
        {
            foreach (var canary in Canaries)
            {
                ExpectSilence((await suite.Host.PostAsync("/v1/runs", Suite.Body(canary, new { text = canary }))).Expecting(400), "the refusal of a workflow");
                ExpectSilence((await suite.Host.GetAsync($"/v1/runs/{canary}")).Expecting(404), "the refusal of a run");
            }
        }),
        new(Section, "A refused credential is not repeated in the answer", Gate.Base, async suite =>
        {
            foreach (var canary in Canaries)
                ExpectSilence((await suite.As(canary).PostAsync("/v1/runs", Suite.Body(Noop))).Expecting(401), "the refusal of a credential");
        }),
        new(Section, "A reference to a credential does not appear in the log", Gate.Fixtures(Noop), async suite =>
        {
            var reply = await suite.Host.PostAsync("/v1/runs", Suite.Body(Noop, null, new { ai = new { credentialRef = "cred_CANARY-openwop-never-secret" } }));
            if (reply.Status == 201)
            {
                await suite.UntilTerminalAsync(Suite.RunIdOf(reply));
                Expect.That(!(await suite.Host.GetAsync($"/v1/runs/{Suite.RunIdOf(reply)}/events/poll")).Text.Contains("CANARY", StringComparison.Ordinal), "The log repeats the reference.");
            }
        }),
        new(Section, "A secret is resolved and stays one", Gate.Fixtures("openwop-smoke-byok-roundtrip"), async suite =>
        {
            var runId = await suite.CompleteAsync("openwop-smoke-byok-roundtrip");
            var log = (await suite.Host.GetAsync($"/v1/runs/{runId}/events/poll")).Expecting(200);
            Expect.Equal(1, Suite.OfType(log.Json.GetProperty("events").EnumerateArray(), "node.completed").Count(), "number of node.completed");
            foreach (var name in new[] { "\"value\":", "\"password\":", "\"plaintext\":", "\"raw_secret\":" })
                Expect.That(!log.Text.Contains(name, StringComparison.OrdinalIgnoreCase), $"The log has a member {name}");
        }),
        new(Section, "The block about secrets has its shape", Gate.Family("secrets"), suite =>
        {
            Expect.OneOf(suite.Advertised["secrets", "supported"].ValueKind, "secrets.supported", JsonValueKind.True, JsonValueKind.False);
            return Task.CompletedTask;
        }),
    ];

    private static void ExpectSilence(Reply reply, string what)
    {
        foreach (var canary in Canaries)
            Expect.That(!reply.Text.Contains(canary, StringComparison.Ordinal), $"A secret comes back in {what}: {reply.Text}");
    }
}
